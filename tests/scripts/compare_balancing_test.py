#!/usr/bin/env python3
"""compare_balancing_test.py MOESIM: scripts/compare_balancing.py has a cell for each remedy and skew."""
import re
import sys
import tempfile
import unittest
from pathlib import Path

import script_under_test

compare = script_under_test.load("compare_balancing")
MOESIM = sys.argv.pop()
SCENARIO = """version: 1
platform: {base: dgx-h100, nodes: 1}
model: mixtral-8x7b
parallel: {tp: 1, ep: 4, dp: 8}
training: {global_batch_size: 8, seq_length: 512, recompute: full}
"""
CELL = r"([0-9.,]+) ms, ([0-9.]+)(?:, ([0-9.]+) % dropped)?"


def output_of(*options):
    """(exit status, stdout) of the script."""
    return script_under_test.output_of(compare.main, "--moesim", MOESIM, *options)


class Table(unittest.TestCase):
    def test_has_a_cell_for_each_remedy_and_skew(self):
        with tempfile.TemporaryDirectory() as folder:
            scenario = Path(folder) / "small.yaml"
            scenario.write_text(SCENARIO)
            status, text = output_of(str(scenario), "--skew", "0", "1")
        self.assertEqual(status, 0)
        cells = {}
        for line in text.splitlines()[2:]:
            name, *row = (cell.strip() for cell in line.strip("|").split("|"))
            cells[name] = [re.fullmatch(CELL, cell).groups() for cell in row]
        self.assertEqual(list(cells), [name for name, _ in compare.REMEDIES])
        even, skewed = cells["none"]
        self.assertEqual(even[1], "1.00")
        self.assertGreater(float(skewed[1]), 1.2)
        self.assertLess(float(even[0].replace(",", "")), float(skewed[0].replace(",", "")))
        for name in ("EPLB, a redundant expert a rank", "capacity factor 1.25, rerouting", "work stealing, 50 us"):
            self.assertLess(float(cells[name][1][1]), float(skewed[1]), name)
        self.assertIsNone(skewed[2])
        self.assertGreater(float(cells["capacity factor 1.25, dropping"][1][2]), 0)

    def test_is_refused_without_a_scenario(self):
        self.assertEqual(output_of("missing.yaml"), (2, ""))


if __name__ == "__main__":
    unittest.main()
