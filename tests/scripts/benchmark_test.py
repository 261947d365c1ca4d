#!/usr/bin/env python3
"""benchmark_test.py BUILD: scripts/benchmark.py fits exponents, takes medians, says what fails, and prints its table."""
import resource
import sys
import unittest

import script_under_test

benchmark = script_under_test.load("benchmark")
benchmark.MOST_BYTES = resource.RLIM_INFINITY  # sanitizers map terabytes
BUILD = sys.argv.pop()


def output_of(*options):
    """(exit status, stdout) of the script with programs as they are built."""
    return script_under_test.output_of(benchmark.main, "--build", BUILD, *options)


class Exponent(unittest.TestCase):
    def test_of_a_power_law_is_its_own(self):
        self.assertAlmostEqual(benchmark.exponent([(x, 7 * x**1.3) for x in (64, 128, 256, 2048)]), 1.3)

    def test_of_points_beside_a_line_is_that_of_the_line(self):
        self.assertAlmostEqual(benchmark.exponent([(1, 2), (2, 1), (4, 16), (8, 16)]), 1.3)  # log2: 1, 0, 4, 4


class Medians(unittest.TestCase):
    def test_are_of_each_field_over_runs_in_turn(self):
        walls = iter([3, 30, 1, 10, 2, 20])  # of two commands in turn
        run_once, benchmark.run_once = benchmark.run_once, lambda command: benchmark.Usage(next(walls), 0, 0, 1, command)
        try:
            first, second = benchmark.medians(["a", "b"], 3)
        finally:
            benchmark.run_once = run_once
        self.assertEqual((first.wall, first.runs, first.output), (2, 3, "a"))
        self.assertEqual((second.wall, second.runs, second.output), (20, 3, "b"))

    def test_say_what_a_program_says_that_fails(self):
        with self.assertRaisesRegex(benchmark.NotMeasured, "^no such thing$"):
            benchmark.medians([["sh", "-c", "echo first >&2; echo no such thing >&2; exit 3"]], 1)

    def test_are_of_what_the_child_used(self):
        used, = benchmark.medians([[sys.executable, "-c", "x = b'1' * 100_000_000; print(len(x))"]], 1)
        self.assertEqual(used.output, "100000000\n")
        self.assertGreater(used.peak, 100e6)
        self.assertGreater(used.wall, 0)


class Table(unittest.TestCase):
    def test_has_the_row_that_is_asked_for(self):
        status, text = output_of("--quick", "--only", "^all-to-all.* 512 ")
        self.assertEqual(status, 0, text)
        self.assertRegex(text, r"\A\| what \| aim \| measured \| yardstick \|\n\|---\|---\|---\|---\|\n"
                               r"\| all-to-all of [^|]+ \| fluid 0.05 s \| analytic [0-9.]+ s, [0-9,]+ thousand flows/s; "
                               r"fluid [^;|]+; flow [^;|]+ \|  \|\n\n.*SimGrid [34].*\n\Z")

    def test_has_the_reason_when_something_is_not_measured(self):
        google = benchmark.Bench.google
        benchmark.Bench.google = lambda *_: (_ for _ in ()).throw(benchmark.NotMeasured("it rains"))
        try:
            status, text = output_of("--quick", "--only", "^all-to-all.* 512 ")
        finally:
            benchmark.Bench.google = google
        self.assertEqual(status, 1)
        self.assertIn("| not measured: it rains |", text)

    def test_is_refused_without_rows(self):
        for only in ("^no such row$", "("):
            self.assertEqual(output_of("--only", only), (2, ""))


if __name__ == "__main__":
    unittest.main()
