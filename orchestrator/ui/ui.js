// Puts in again what changed, and follows logs. Every page is whole without it.
"use strict";

const PAUSE_MS = 1000;

// Focus and scrolling stay where a person has them.
function replace(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
  const scrolled = Array.from(old.querySelectorAll(".wide"), (box) => box.scrollLeft);
  old.replaceChildren(...fresh.childNodes);
  old.querySelectorAll(".wide").forEach((box, i) => (box.scrollLeft = scrolled[i] || 0));
  if (focused) document.getElementById(focused)?.focus();
}

async function refresh() {
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(old.id);
    if (fresh && fresh.innerHTML !== old.innerHTML) replace(old, fresh);
  }
}

async function follow(log, decoder) {
  const answer = await fetch(log.dataset.follow + "?from=" + log.dataset.from);
  if (!answer.ok) return false;
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
  const text = decoder.decode(await answer.arrayBuffer(), { stream: true });
  if (text) log.append(text);
  if (text && atEnd) log.scrollTop = log.scrollHeight;
  log.dataset.from = answer.headers.get("X-Penstock-Next");
  return answer.headers.get("X-Penstock-Ended") === "1";
}

// What `step` does, again and again; a server that is away for a moment is asked again. It ends when step says so.
function repeat(step) {
  const turn = async () => {
    let ended = false;
    try {
      ended = !document.hidden && (await step());
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the network's
    }
    if (!ended) setTimeout(turn, PAUSE_MS);
  };
  setTimeout(turn, PAUSE_MS);
}

document.querySelector("svg .marked")?.scrollIntoView({ block: "nearest", inline: "center" });

const log = document.getElementById("log");
if (log) log.scrollTop = log.scrollHeight;
if (log?.dataset.follow) {
  const decoder = new TextDecoder();
  repeat(async () => {
    const ended = await follow(log, decoder);
    if (ended) document.getElementById("say").textContent = "It has ended.";
    return ended;
  });
}
if (document.querySelector("[data-live]")) repeat(refresh);
