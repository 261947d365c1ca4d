#!/usr/bin/env python3
"""measure_gpu_test.py MOESIM: scripts/measure_gpu.py writes what `moesim calibrate` reads. No GPU: times are made up."""
import csv
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import script_under_test

measure = script_under_test.load("measure_gpu")
MOESIM = sys.argv.pop()


def made_up_time(_, kernel, launches):
    """A launch, and half of the peak and the bandwidth of an H100."""
    pairs = kernel.m * kernel.n * kernel.k * kernel.groups
    moved = 4 * kernel.m * kernel.n if kernel.name == "copy" else 0
    products = {"gemm": 1, "attention": 1, "attention-backward": 2.5, "copy": 0}[kernel.name]
    return 3 + 2 * products * pairs / 500e6 + moved / 1.6e6


class Table(unittest.TestCase):
    def test_is_what_calibrate_reads(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(measure, "microseconds", made_up_time), \
                mock.patch.object(measure, "gpu_library", lambda: ("torch", "")):
            table, gpu = Path(folder) / "measured.csv", Path(folder) / "mine.yaml"
            status, _ = script_under_test.output_of(lambda *options: measure.main(list(*options)), "-o", str(table),
                                                    "--precision", "bf16", "fp8", "--launches", "7")
            self.assertEqual(status, 0)
            with table.open(encoding="utf-8") as file:
                rows = list(csv.DictReader(file))
            self.assertEqual({row["launches"] for row in rows}, {"7"})
            self.assertEqual({row["kernel"] for row in rows}, {"gemm", "attention", "attention-backward", "copy"})
            self.assertTrue(all(int(row["m"]) % 16 == 0 for row in rows if row["precision"] == "fp8"))
            done = subprocess.run([MOESIM, "calibrate", table, "--base", "h100-sxm-80gb", "-o", gpu],
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for curve in ("memory", "gemm.bf16", "gemm.fp8", "attention", "attention.backward"):
                self.assertRegex(done.stdout, rf"(?m)^{curve} ")
            read = subprocess.run([MOESIM, "check", ROOT / "workloads/scenarios/mixtral-8x7b-h100x64.yaml", "--set",
                                   f"platform.gpu={gpu}"], capture_output=True, text=True, check=False)
            self.assertIn("name: \"mine\"", read.stdout, read.stderr)

    def test_is_not_written_without_a_gpu(self):
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(measure, "gpu_library", lambda: (None, "no GPU")):
            table = Path(folder) / "measured.csv"
            self.assertEqual(measure.main(["-o", str(table)]), 1)
            self.assertFalse(table.exists())


class Options(unittest.TestCase):
    def test_that_are_wrong_are_refused(self):
        for options in ([], ["--list", "-o", "x.csv"], ["-o", "x.csv", "--launches", "0"], ["--list", "--precision", "int4"]):
            with self.assertRaises(SystemExit) as refused:
                measure.main(options)
            self.assertEqual(refused.exception.code, 2, options)


ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    unittest.main()
