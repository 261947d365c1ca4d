#!/usr/bin/env python3
"""compare_platforms_test.py MOESIM: scripts/compare_platforms.py has a cell for each network and fidelity."""
import re
import sys
import tempfile
import unittest
from pathlib import Path

import script_under_test

compare = script_under_test.load("compare_platforms")
MOESIM = sys.argv.pop()
SCENARIO = """version: 1
platform: {base: dgx-h100, nodes: 8}
model: mixtral-8x7b
parallel: {tp: 2, ep: 8, dp: 32}
training: {global_batch_size: 32, seq_length: 512}
"""


def output_of(*options):
    """(exit status, stdout) of the script."""
    return script_under_test.output_of(compare.main, "--moesim", MOESIM, *options)


class Table(unittest.TestCase):
    def test_has_a_cell_for_each_network_and_fidelity(self):
        with tempfile.TemporaryDirectory() as folder:
            scenario = Path(folder) / "small.yaml"
            scenario.write_text(SCENARIO)
            status, text = output_of(str(scenario))
        self.assertEqual(status, 0)
        times = {}
        for line in text.splitlines()[4:-1]:
            name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            self.assertEqual(len(cells), 3, line)
            times[name] = [float(re.fullmatch(r"([0-9.,]+) ms, [0-9.]+ %", cell)[1].replace(",", "")) for cell in cells]
        self.assertEqual(list(times), [name for name, _ in compare.NETWORKS])
        # A full fat tree is as good as none, trunks that are half as wide save nothing, and racks save the NICs.
        for at in range(3):
            self.assertEqual(times["fat tree, 4 nodes a leaf, 1:1"][at], times["non-blocking"][at])
            self.assertGreaterEqual(times["fat tree, 4 nodes a leaf, 2:1"][at], times["non-blocking"][at])
            self.assertLess(times["NVL72, 64 GPUs of each rack"][at], times["non-blocking"][at])

    def test_has_the_reason_where_a_network_cannot(self):
        with tempfile.TemporaryDirectory() as folder:
            scenario = Path(folder) / "small.yaml"
            scenario.write_text(SCENARIO)
            status, text = output_of(str(scenario), "--set", "parallel.dp=31")
        self.assertEqual(status, 0)
        self.assertRegex(text, r"\n\| non-blocking \| not run: .*31.* \|")

    def test_is_refused_without_a_scenario(self):
        self.assertEqual(output_of("missing.yaml"), (2, ""))


if __name__ == "__main__":
    unittest.main()
