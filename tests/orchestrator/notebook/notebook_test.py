#!/usr/bin/env python3
"""The notebook module against the real program: steps, pages, refusals, an export; standard library only.

usage: notebook_test.py PENSTOCK"""

import os
import subprocess
import sys
import tempfile
import unittest
from html.parser import HTMLParser

ROOM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "orchestrator", "notebook")
sys.path.insert(0, ROOM)
from penstock import InteractiveContext, PenstockError  # noqa: E402

PENSTOCK = os.path.abspath(sys.argv.pop(1))


class Frame(HTMLParser):
    """The page in an iframe, and whether anything stands outside it."""

    def __init__(self, markup):
        super().__init__()
        self.tags = []
        self.page = ""
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.page = dict(attributes).get("srcdoc", "")


class Notebook(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="it's 100% \"odd\" ")
        os.chdir(cls.folder.name)
        for line in (["generate", "taxi", "--rows", "600", "--seed", "1", "-o", "t.csv"],
                     ["init", "t.csv", "--label", "tips > 0.2 * fare"]):
            subprocess.run([PENSTOCK, *line], check=True, capture_output=True)
        cls.context = InteractiveContext("pipeline.yaml", program=PENSTOCK)

    @classmethod
    def tearDownClass(cls):
        os.chdir("/")
        cls.folder.cleanup()

    def page_of(self, shown):
        frame = Frame(shown._repr_html_())
        self.assertEqual(frame.tags, ["iframe"])
        self.assertTrue(frame.page.startswith("<!doctype html>"))
        return frame.page

    def test_a_session_step_by_step(self):
        with self.assertRaises(PenstockError) as refused:
            self.context.run("pusher")
        self.assertIn("never succeeded: run that first", str(refused.exception))
        self.assertEqual(refused.exception.code, 66)
        self.assertEqual(self.context.run("example_gen").outputs, {"examples": self.newest("Examples")})
        statistics = self.context.run("statistics_gen")
        self.assertEqual(statistics.status, "succeeded")
        self.assertIn("trip_miles", self.page_of(statistics.show()))
        self.assertEqual(self.context.run("statistics_gen").status, "cached")
        self.context.run("schema_gen")
        self.assertIn("payment_type", self.page_of(self.context.show("schema")))
        for node in ("example_validator", "transform"):
            self.context.run(node)
        trainer = self.context.run("trainer", "--set", "trainer.steps=20")
        self.assertEqual(sorted(trainer.outputs), ["model", "model_run"])
        self.assertIn("<svg", self.page_of(trainer.show("model_run")))
        self.assertEqual(self.context.get("statistics")["schema"], 1)

    def newest(self, kind):
        return [a["id"] for a in self.context.artifacts()["artifacts"] if a["type"] == kind][-1]

    def test_the_whole_and_its_report(self):
        outcome = self.context.run_all("--set", "trainer.steps=20")
        self.assertIn(outcome["status"], ("succeeded", "cached"))
        self.assertIn("evaluation", self.page_of(self.context.report()))

    def test_a_wrong_file_is_refused_with_its_place(self):
        with open("wrong.yaml", "w") as file:
            file.write("pipeline: wrong\ntrainer: {stops: 3}\n")
        with self.assertRaisesRegex(PenstockError, "wrong.yaml:2:.*stops"):
            InteractiveContext("wrong.yaml", program=PENSTOCK)

    def test_export(self):
        text = self.context.export_to_pipeline("make")
        self.assertEqual(self.context.export_to_pipeline("make", "Makefile"), "Makefile")
        with open("Makefile") as file:
            self.assertEqual(file.read(), text)
        for node in ("example_gen", "pusher"):
            self.assertIn(node, text)


if __name__ == "__main__":
    unittest.main()
