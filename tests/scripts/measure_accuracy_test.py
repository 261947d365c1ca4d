#!/usr/bin/env python3
"""measure_accuracy_test.py MOESIM: scripts/measure_accuracy.py counts what moesim compares, and its halves are honest."""
import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

import script_under_test

accuracy = script_under_test.load("measure_accuracy")
MOESIM = sys.argv.pop()

# A bubble of 3/15 with four stages and twelve micro-batches; the second one is printed wrongly.
SCHEDULES = "".join(f"""- id: {name}
  source: {{title: A paper}}
  system: A100
  config: {{schedule: 1F1B, pipeline_model_parallel_size: 4, num_microbatches: 12}}
  measured: {{bubble_rate_calculated: {bubble}, profiled_T_F_ms: 1, profiled_T_B_ms: 1, profiled_T_W_ms: 1, profiled_T_comm_ms: 0}}
""" for name, bubble in (("right", 0.2), ("wrong", 0.6)))


def rows(errors, name="kernels"):
    return [{"id": f"entry{at}#{at}", "set": name, "error": error, "quantity": "time_us", "hardware": "H100", "framework": "",
             "kind": "gemm", "size": ""} for at, error in enumerate(errors)]


def printed(function, *arguments):
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        function(*arguments)
    return text.getvalue()


class Tables(unittest.TestCase):
    def test_are_those_of_validate(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "schedules.yaml").write_text(SCHEDULES)
            picture = Path(folder, "residuals.svg")
            _, text = script_under_test.output_of(accuracy.main, folder, "--moesim", MOESIM, "--picture", str(picture))
            self.assertIn("| pipeline schedules |  | 2 | 50.0 % | 50.0 % | +50.0 % | 50 % | 50 % |", text)
            self.assertEqual(picture.read_text().count('class="residual"'), 4)

    def test_have_the_aims_beside_what_they_are_about(self):
        text = printed(accuracy.print_sets, rows([0.05, -0.15]))
        self.assertIn("| kernels (GEMM, grouped GEMM, attention) | 8 %, 95 % | 2 | 10.0 % | 10.0 % | -5.0 % | 50 % | 100 % |", text)


class Halves(unittest.TestCase):
    def test_of_a_constant_error_are_both_right_after_a_fit_to_one(self):
        text = printed(accuracy.print_cross_check, rows([0.25] * 40), 1)
        self.assertIn("| kernels.yaml | 25.0 %, 25.0 % | 25.0 %, 25.0 % | 0.0 %, 0.0 % | 0.0 %, 0.0 % |", text)

    def test_keep_the_points_of_an_entry_together(self):
        self.assertEqual({accuracy.half_of({"id": f"table#{point}"}, 7) for point in range(100)},
                         {accuracy.half_of({"id": "table"}, 7)})
        self.assertEqual({accuracy.half_of({"id": f"entry{at}"}, 7) for at in range(100)}, {0, 1})


if __name__ == "__main__":
    unittest.main()
