"""The web UI in a real browser: starts a run, watches it end, opens logs, evaluation, lineage and a comparison; stops
one. No console error, no horizontal scrolling at 400 pixels, first paint within 200 ms, whole without the script, and
reachable by keyboard. `python with_chromium.py PENSTOCK FOLDER [SCREENSHOTS]`; Chromium is the machine's."""

import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys

from playwright.sync_api import expect, sync_playwright

PAINT_MS, LOADS, NARROW = 200, 5, 400
PATIENCE_MS = 40_000


def check(condition, message):
    if not condition:
        sys.exit(f"FAILED: {message}")


def prepare(program, folder):
    """A pipeline whose training takes a few seconds."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for words in (["generate", "taxi", "--rows", "20000", "--seed", "1", "-o", "trips.csv"],
                  ["init", "trips.csv", "--label", "tips > 0.2 * fare", "--name", "taxi", "-o", "taxi.yaml"]):
        subprocess.run([program, *words], cwd=folder, check=True, capture_output=True)
    write_steps(folder, 30_000)


def write_steps(folder, steps):
    """The trainer's section anew, without an early stop."""
    lines, kept, inside = (folder / "taxi.yaml").read_text().splitlines(), [], False
    for line in lines:
        inside = line.startswith("trainer:") or (inside and (line.startswith(" ") or not line))
        kept += [] if inside else [line]
    kept += ["trainer:", f"  steps: {steps}", "  early_stopping: false"]
    (folder / "taxi.yaml").write_text("\n".join(kept) + "\n")


class Session:
    def __init__(self, browser, url, **options):
        self.problems = []
        self.base, self.context = url.split("/?")[0], browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", lambda message: self.problems.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", lambda request: self.outside(request.url))
        self.page.goto(url)

    def outside(self, url):
        if not url.startswith(self.base) and not url.startswith("data:"):
            self.problems.append(f"a request to {url}")

    def open(self, path):
        self.page.goto(self.base + path)

    def close(self):
        self.context.close()
        check(not self.problems, f"the browser complains: {self.problems}")


def watch_a_run(session):
    """From the start button to the end, without a reload by hand."""
    page = session.page
    page.get_by_role("button", name="start taxi").click()
    expect(page.get_by_text("A run was started.")).to_be_visible()
    page.get_by_role("cell", name="run-1").get_by_role("link").click()
    run = page.locator("#run")
    expect(run.get_by_role("row", name="pusher pending")).to_be_visible()
    expect(run.get_by_role("row", name="trainer running")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_role("status")).to_contain_text("trainer")
    page.locator("table").get_by_role("link", name="trainer", exact=True).click()
    expect(page.locator("#log")).to_contain_text("trainer starts")
    expect(page.get_by_role("status")).to_have_text("It is running.")
    expect(page.get_by_role("status")).to_have_text("It has ended.", timeout=PATIENCE_MS)
    expect(page.locator("#log")).to_contain_text("trainer ends: PEN_OK")
    page.get_by_role("navigation", name="trail").get_by_role("link", name="run-1").click()
    expect(page.get_by_role("status")).to_have_text("succeeded", timeout=PATIENCE_MS)
    expect(run.get_by_role("row", name="pusher succeeded")).to_be_visible()


def look_at_what_it_made(session):
    page = session.page
    page.get_by_role("navigation", name="this run").get_by_role("link", name="evaluation").click()
    expect(page.get_by_role("img", name="ROC")).to_be_visible()
    page.get_by_role("navigation", name="trail").get_by_role("link", name="run-1").click()
    page.locator("#made").get_by_role("link", name="trainer.model.6").first.click()
    lineage = page.get_by_role("group", name="What it was made of")
    expect(lineage.get_by_role("link", name="evaluator.blessing.8")).to_be_attached()
    lineage.get_by_role("link", name="schema_gen.schema.3").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("schema_gen.schema.3")


def stop_a_run(session, folder):
    page = session.page
    write_steps(folder, 200_000)
    session.open("/p/taxi")
    page.get_by_role("button", name="start taxi").click()
    page.get_by_role("cell", name="run-2").get_by_role("link").click()
    expect(page.locator("#run").get_by_role("row", name="trainer running")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="stop taxi").click()
    expect(page.locator("#pipeline").get_by_role("row", name="run-2 cancelled")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="compare").click()
    expect(page.get_by_text("options.steps: 30000 -> 200000")).to_be_visible()


def read_url(server):
    said = ""
    while not said.endswith("}\n"):
        line = server.stdout.readline()
        check(line, f"the server ended: {said}")
        said += line
    return json.loads(said)["url"]


PAGES = {
    "pipelines": "/", "runs": "/p/taxi", "run": "/p/taxi/run/run-1",
    "evaluation": "/p/taxi/run/run-1/show/evaluation", "training": "/p/taxi/run/run-1/show/training",
    "anomalies": "/p/taxi/run/run-1/show/anomalies", "statistics": "/p/taxi/run/run-1/show/statistics",
    "schema": "/p/taxi/run/run-1/show/schema", "log": "/p/taxi/run/run-1/log/trainer",
    "artifact": "/p/taxi/artifact/trainer.model.6", "compare": "/p/taxi/compare?a=run-1&b=run-2",
}


def first_paint(session, path):
    times = []
    for _ in range(LOADS):
        session.open(path)
        times.append(session.page.evaluate("""() => new Promise((done) => new PerformanceObserver((list) =>
            done(list.getEntries()[0].startTime)).observe({type: "paint", buffered: true}))"""))
    return statistics.median(times)


def check_form(session, name):
    """What a person needs who sees little, or has no mouse."""
    page = session.page
    found = page.evaluate("""() => ({
        width: document.documentElement.scrollWidth, lang: document.documentElement.lang, title: document.title,
        mains: document.querySelectorAll("main").length, heads: document.querySelectorAll("h1").length,
        unnamed: Array.from(document.querySelectorAll("button, a, select")).filter((e) => !e.textContent.trim()).length,
        unlabelled: Array.from(document.querySelectorAll("svg")).filter(
            (e) => !e.getAttribute("aria-label") && e.getAttribute("aria-hidden") !== "true").length,
        ids: document.querySelectorAll("[id]").length - new Set(Array.from(document.querySelectorAll("[id]"),
            (e) => e.id)).size})""")
    check(found["width"] <= page.viewport_size["width"], f"{name} scrolls sideways: {found['width']} pixels wide")
    check(found["mains"] == 1 and found["heads"] == 1 and found["lang"] == "en" and found["title"], f"{name}: {found}")
    check(found["unnamed"] == 0 and found["unlabelled"] == 0 and found["ids"] == 0, f"{name}: {found}")
    page.keyboard.press("Tab")
    check(page.evaluate("document.activeElement.className") == "skip", f"{name}: Tab does not begin at the skip link")


def tour(browser, url, screenshots):
    for scheme, width in (("light", 1200), ("dark", 1200), ("light", NARROW), ("dark", NARROW)):
        session = Session(browser, url, color_scheme=scheme, viewport={"width": width, "height": 900})
        for name, path in PAGES.items():
            if (scheme, width) == ("light", 1200):
                paint = first_paint(session, path)
                print(f"{name:<11} first paint {paint:5.0f} ms")
                check(paint < PAINT_MS, f"{name}: first paint after {paint:.0f} ms")
            session.open(path)
            check_form(session, name)
            if screenshots:
                session.page.screenshot(path=f"{screenshots}/{name}-{scheme}-{width}.png")
        session.close()


def without_script(browser, url):
    session = Session(browser, url, java_script_enabled=False)
    for name, path in PAGES.items():
        session.open(path)
        expect(session.page.get_by_role("main")).not_to_be_empty()
    session.close()


def main():
    program, folder = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        print("skipped: no Chromium here; apt-get install chromium")
        return
    prepare(program, folder)
    server = subprocess.Popen([program, "ui", "taxi.yaml", "--port", "0", "--json"], cwd=folder, text=True,
                              stdout=subprocess.PIPE)
    try:
        url = read_url(server)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            session = Session(browser, url)
            watch_a_run(session)
            look_at_what_it_made(session)
            stop_a_run(session, folder)
            session.close()
            tour(browser, url, sys.argv[3] if len(sys.argv) > 3 else None)
            without_script(browser, url)
            browser.close()
    finally:
        server.send_signal(signal.SIGTERM)
    check(server.wait(10) == 0, f"the server's exit code is {server.returncode}")
    print("the UI works in Chromium")


main()
