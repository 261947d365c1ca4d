#!/usr/bin/env python3
"""audit_documents_test.py MOESIM: scripts/audit_documents.py has a row for each document and for each claim that fails."""
import json
import subprocess
import sys
import unittest

import script_under_test

documents = script_under_test.load("audit_documents")
MOESIM = sys.argv.pop()


class Tables(unittest.TestCase):
    def test_have_a_row_for_each_document_and_each_claim_that_fails(self):
        status, text = script_under_test.output_of(documents.main, "--moesim", MOESIM)
        self.assertEqual(status, 0)
        for name in documents.DOCUMENTS:
            answer = subprocess.run([MOESIM, "audit", f"{documents.SCENARIOS}/{name}.yaml", "--json"],
                                    capture_output=True, text=True, check=True).stdout
            audit = json.loads(answer)
            total = len(audit["claims"])
            self.assertIn(f"\n| {audit['name']} | {total} | ", text)
            section = text.split(f"### {audit['name']}\n")[1].split("\n###")[0]
            failing = [claim for claim in audit["claims"] if claim["verdict"] not in ("consistent", "not-checkable")]
            self.assertEqual(section.count("\n| ") - 1, len(failing), section)
            for claim in failing:
                self.assertIn(f"| {claim['verdict']} | {claim['because']} |", section)
        self.assertIn("| Total GPUs: 512 (8 × 4 × 16 × 4 = 512) | 2,048 |  | self-contradiction | 8 × 4 × 16 × 4 = 2,048 |",
                      text)

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
