#!/usr/bin/env python3
"""audit_documents_test.py MOESIM: scripts/audit_documents.py has a row for each document and for each claim that fails."""
import json
import subprocess
import sys
import unittest
from xml.etree import ElementTree

import script_under_test

documents = script_under_test.load("audit_documents")
MOESIM = sys.argv.pop()


class Tables(unittest.TestCase):
    def test_have_a_row_for_each_document_and_each_claim_that_fails(self):
        status, text = script_under_test.output_of(documents.main, "--moesim", MOESIM)
        self.assertEqual(status, 0)
        instead = text.split("### What could be deployed instead\n")[1].split("\n###")[0]
        for name in documents.DOCUMENTS:
            answer = subprocess.run([MOESIM, "audit", f"{documents.SCENARIOS}/{name}.yaml", "--json"],
                                    capture_output=True, text=True, check=True).stdout
            audit = json.loads(answer)
            total = len(audit["claims"])
            for deployment in audit["deployments"]:
                self.assertIn(f"\n| {deployment['scenario']} | ", instead)
                for change in deployment["changes"]:
                    self.assertIn(f"{change['axis']} {change['from']} to {change['to']}", instead)
            self.assertIn(f"\n| {audit['name']} | {total} | ", text)
            section = text.split(f"### {audit['name']}\n")[1].split("\n###")[0]
            failing = [claim for claim in audit["claims"] if claim["verdict"] not in ("consistent", "not-checkable")]
            self.assertEqual(section.count("\n| ") - 1, len(failing), section)
            for claim in failing:
                self.assertIn(f"| {claim['verdict']} | {claim['because']} |", section)
        self.assertIn("| Total GPUs: 512 (8 × 4 × 16 × 4 = 512) | 2,048 |  | self-contradiction | 8 × 4 × 16 × 4 = 2,048 |",
                      text)

    def test_have_a_picture_with_bars_as_long_as_times(self):
        one = {"scenario": "a & b", "wanted_time_s": 0.5, "time_as_given_s": 2.0, "time_s": 0.25,
               "changes": [{"axis": "tp", "from": "1", "to": "2"}]}
        drawn = documents.picture([{"deployments": [one, one | {"wanted_time_s": None, "changes": []}]}])
        bars = [(float(bar.get("width")), bar.get("fill")) for bar in ElementTree.fromstring(drawn).iter() if bar.get("x") == "80"]
        self.assertEqual(bars, [(130, "#667077"), (520, "#a8326d"), (65, "#00775a"), (520, "#a8326d")])
        self.assertIn("a &amp; b", drawn)

    def test_are_refused_without_moesim(self):
        self.assertEqual(script_under_test.output_of(documents.main, "--moesim", "missing"), (2, ""))


class Figures(unittest.TestCase):
    def test_are_numbers_with_their_unit(self):
        self.assertEqual(documents.figure(None, "GB"), "")
        self.assertEqual(documents.figure(0.25, "fraction"), "25 %")
        self.assertEqual(documents.figure(4096000.0, "sequences/s"), "4,096,000 sequences/s")
        self.assertEqual(documents.figure(0.75, "x"), "0.75x")
        self.assertEqual(documents.figure(0.03775, "GB"), "0.03775 GB")


if __name__ == "__main__":
    unittest.main()
