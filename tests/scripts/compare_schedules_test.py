#!/usr/bin/env python3
"""compare_schedules_test.py MOESIM: scripts/compare_schedules.py has a row for each schedule, or why it has none."""
import json
import subprocess
import sys
import unittest

import script_under_test

compare = script_under_test.load("compare_schedules")
MOESIM = sys.argv.pop()


def output_of(*options):
    """(exit status, stdout) of the script."""
    return script_under_test.output_of(compare.main, "--moesim", MOESIM, *options)


class Tables(unittest.TestCase):
    def test_have_a_row_for_each_schedule(self):
        status, text = output_of("--stages", "4", "--microbatches", "8", "--set", "training.global_batch_size=64")
        self.assertEqual(status, 0)
        listed = subprocess.run([MOESIM, "list", "schedules", "--json"], capture_output=True, text=True).stdout
        names = [schedule["name"] for schedule in json.loads(listed)]
        for name in names:
            self.assertEqual(text.count(f"\n| {name} | "), 2, text)
        self.assertIn("\n| 1f1b | 33 | 27.3 % | 4 |\n", text)  # (m + p - 1)(F + B + W); (p-1)/(m+p-1); p
        self.assertRegex(text, r"\n\| 1f1b \| [0-9.]+ ms \| [0-9.]+ % \| [0-9,.]+ MiB \|\n")

    def test_have_the_reason_where_a_schedule_cannot(self):
        status, text = output_of("--set", "training.global_batch_size=13")
        self.assertEqual(status, 0)
        self.assertRegex(text, r"\n\| gpipe \| not run: .*13.* \|  \|  \|\n")

    def test_are_refused_without_a_scenario(self):
        self.assertEqual(output_of("missing.yaml"), (2, ""))


class Reasons(unittest.TestCase):
    def test_come_without_what_every_row_would_repeat(self):
        self.assertEqual(compare.reason_of("a.yaml:3:4: training.schedule: zb-v wants two chunks; use 2"),
                         "zb-v wants two chunks; use 2")
        self.assertEqual(compare.reason_of("name: dualpipe is for even stages; use 8"),
                         "dualpipe is for even stages; use 8")
        self.assertEqual(compare.reason_of("something else"), "something else")


if __name__ == "__main__":
    unittest.main()
