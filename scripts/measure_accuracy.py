#!/usr/bin/env python3
"""Validates moesim against a folder of published measurements and prints the Markdown tables of simulator/validation.

usage: measure_accuracy.py FOLDER [--moesim PROGRAM] [--seed N] [--picture FILE.svg] [--jobs N]

FOLDER has the files of simulator/validation/README.md: training_dense.yaml and so on; those that are missing are left
out. The same folder and seed give the same text, whatever the number of jobs.
"""
import argparse
import collections
import csv
import hashlib
import io
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = ("training_dense", "training_moe", "kernels", "collectives", "inference", "schedules")
BLACKWELL = ("B200", "B300", "GB200", "GB300")


def is_memory(row: dict) -> bool:
    return row["quantity"] == "memory_bytes"


# The sets of the aims: name, aim (mean, share within 20 %), and which rows are in it.
SETS = (
    ("dense training, A100 and H100", (0.05, 0.95),
     lambda row: row["set"] == "training_dense" and row["hardware"] in ("A100", "H100")),
    ("MoE training, H100 and H800", (0.10, 0.90),
     lambda row: row["set"] == "training_moe" and row["hardware"] in ("H100", "H800")),
    ("training on B200, B300, GB200, GB300", (0.12, 0.85),
     lambda row: row["set"].startswith("training") and row["hardware"] in BLACKWELL),
    ("collectives, 1 MiB and more", (0.10, 0.90),
     lambda row: row["set"] == "collectives" and row["size"] == "1 MiB and more"),
    ("collectives, below 1 MiB", None, lambda row: row["set"] == "collectives" and row["size"] != "1 MiB and more"),
    ("kernels (GEMM, grouped GEMM, attention)", (0.08, 0.95), lambda row: row["set"] == "kernels"),
    ("inference: time per token, throughput", (0.15, 0.75),
     lambda row: row["set"] == "inference" and row["quantity"] != "ttft_ms"),
    ("inference: time to the first token behind a queue", None,
     lambda row: row["set"] == "inference" and row["quantity"] == "ttft_ms"),
    ("pipeline schedules", None, lambda row: row["set"] == "schedules"),
)
# What the errors of a file are told apart by.
DIMENSIONS = {"training_dense": ("hardware", "framework", "precision"),
              "training_moe": ("hardware", "framework", "release", "precision"),
              "kernels": ("hardware", "kind", "precision"), "collectives": ("hardware", "framework", "kind"),
              "inference": ("kind", "hardware", "framework", "model"), "schedules": ("kind",)}


def validate(program: str, files: list[Path], jobs: int, *options: str) -> str:
    command = [program, "validate", *map(str, files), "-j", str(jobs), *options]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def read_rows(text: str) -> list[dict]:
    rows = []
    for row in csv.DictReader(io.StringIO(text)):
        row["set"] = Path(row["file"]).stem
        row["error"] = float(row["error"])
        rows.append(row)
    return rows


def figures(errors: list[float]) -> list[str]:
    sizes = [abs(error) for error in errors]
    return [f"{len(errors):,}", percent(statistics.mean(sizes)), percent(statistics.median(sizes)),
            f"{100 * statistics.mean(errors):+.1f} %", share(sizes, 0.1), share(sizes, 0.2)]


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def share(sizes: list[float], bound: float) -> str:
    return f"{100 * sum(size <= bound for size in sizes) / len(sizes):.0f} %"


def print_table(title: str, heads: list[str], lines: list[list[str]]) -> None:
    print(f"\n**{title}**\n")
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for line in lines:
        print("| " + " | ".join(line) + " |")


HEADS = ["count", "mean", "median", "bias", "within 10 %", "within 20 %"]


def print_sets(rows: list[dict]) -> None:
    lines = []
    for name, aim, belongs in SETS:
        errors = [row["error"] for row in rows if belongs(row) and not is_memory(row)]
        if errors:
            lines.append([name, f"{100 * aim[0]:.0f} %, {100 * aim[1]:.0f} %" if aim else "", *figures(errors)])
    memory = [row["error"] for row in rows if is_memory(row)]
    if memory:
        lines.append(["memory of a GPU", "", *figures(memory)])
    print_table("Absolute error by set", ["set", "aim: mean, within 20 %", *HEADS], lines)


def print_groups(name: str, rows: list[dict]) -> None:
    lines = []
    for dimension in DIMENSIONS[name]:
        groups = collections.defaultdict(list)
        for row in rows:
            if row[dimension]:
                groups[row[dimension]].append(row["error"])
        lines += [[f"{dimension}: {label}", *figures(groups[label])] for label in sorted(groups)]
    print_table(f"{name}.yaml by group", ["group", *HEADS], lines)


def print_layouts(reports: list[dict]) -> None:
    lines = []
    for report in reports:
        ranking, flat, beside = report["ranking"], report["flat_efficiency"], report["beside_flat_efficiency"]
        if ranking["pairs"] and flat:
            lines.append([Path(report["file"]).name, f"{ranking['pairs']:,}", percent(ranking["right"] / ranking["pairs"]),
                          f"{percent(beside['mean_absolute_error'])}, {percent(beside['median_absolute_error'])}",
                          f"{percent(flat['mean_absolute_error'])}, {percent(flat['median_absolute_error'])}"])
    print_table("Layouts, and one efficiency for each GPU type and precision",
                ["file", "pairs of layouts", "the faster one named", "moesim: mean, median", "flat efficiency: mean, median"],
                lines)


def half_of(row: dict, seed: int) -> int:
    """Points of one entry stay together."""
    entry = row["id"].split("#")[0]
    return hashlib.sha256(f"{seed} {entry}".encode()).digest()[0] % 2


def corrected(rows: list[dict], factors: dict) -> list[float]:
    return [(1 + row["error"]) * factors.get((row["hardware"], row["framework"], row["kind"]), 1) - 1 for row in rows]


def print_cross_check(rows: list[dict], seed: int) -> None:
    """No constant is fitted to entries, so both halves should be as far off. What is fitted here, to the first half, is
    a factor for each hardware, framework and kind: what it gains there and keeps on the other half is systematic."""
    lines = []
    for name in FILES:
        halves = [[row for row in rows if row["set"] == name and not is_memory(row) and half_of(row, seed) == half]
                  for half in (0, 1)]
        if not all(halves):
            continue
        ratios = collections.defaultdict(list)
        for row in halves[0]:
            ratios[(row["hardware"], row["framework"], row["kind"])].append(1 + row["error"])
        factors = {group: 1 / statistics.median(values) for group, values in ratios.items()}
        cells = [f"{name}.yaml"]
        for errors_of in (lambda half: [row["error"] for row in half], lambda half: corrected(half, factors)):
            for half in halves:
                sizes = [abs(error) for error in errors_of(half)]
                cells.append(f"{percent(statistics.mean(sizes))}, {percent(statistics.median(sizes))}")
        lines.append(cells)
    print_table(f"Cross-check: entries in two random halves (seed {seed}); mean, median",
                ["file", "first half", "second half", "first half, factors fitted to it", "second half, the same factors"],
                lines)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--moesim", default=str(ROOT / "build/release/bin/moesim"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--picture", help="of the residuals, those of training if there are any, FILE.svg or FILE.html")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    present = [name for name in FILES if (options.folder / f"{name}.yaml").exists()]
    if not present:
        sys.exit(f"{options.folder}: none of {', '.join(FILES)} (.yaml) is here; give the folder of the measurements")
    files = [options.folder / f"{name}.yaml" for name in present]
    training = [file for file in files if file.stem.startswith("training")]
    if options.picture:  # with all of them kernels are most of it
        validate(options.moesim, training or files, options.jobs, "-o", options.picture)
    rows = read_rows(validate(options.moesim, files, options.jobs, "--csv"))
    print_sets(rows)
    if training:
        reports = json.loads(validate(options.moesim, training, options.jobs, "--json"))
        print_layouts(reports if isinstance(reports, list) else [reports])
    for name in present:
        print_groups(name, [row for row in rows if row["set"] == name and not is_memory(row)])
    print_cross_check(rows, options.seed)


if __name__ == "__main__":
    main()
