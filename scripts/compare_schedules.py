#!/usr/bin/env python3
"""Compares the pipeline schedules and prints two Markdown tables: each by itself with equal passes, and in a scenario.

A schedule that cannot do it has the reason in its row. Exit status: 0 done, 2 bad usage.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCENARIO = ROOT / "workloads/scenarios/moe30b-gpus512-tp8-pp4-ep16.yaml"


def say(text):
    print(text, file=sys.stderr, flush=True)


class Refused(Exception):
    """What moesim says about a schedule that it does not run; goes into the table."""


def answer(moesim, *arguments):
    """What a command prints as JSON."""
    done = subprocess.run([moesim, *map(str, arguments), "--json"], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return json.loads(done.stdout)
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("warning: ", "Run with --help"))]
    raise Refused(reason_of(lines[0]) if lines else f"exit status {done.returncode}")


def reason_of(line):
    """A problem without its place and its field, which are the same in every row."""
    for part in ("training.schedule: ", "name: "):
        if part in line:
            return line.split(part, 1)[1]
    return line.removeprefix(f"{SCENARIO.parent}/")


def percent(share):
    return f"{100 * share:.1f} %"


def by_itself(moesim, name, stages, micro_batches):
    figures = answer(moesim, "schedule", name, "--stages", stages, "--microbatches", micro_batches)
    return [f"{figures['makespan']:g}", percent(figures["bubble_fraction"]), f"{max(figures['peak_activations']):g}"]


def in_scenario(moesim, name, scenario, assignments):
    words = [word for assignment in [*assignments, f"training.schedule={name}"] for word in ("--set", assignment)]
    figures = answer(moesim, "run", scenario, *words)
    return [f"{1e3 * figures['iteration_time_s']:.2f} ms", percent(figures["bubble_fraction"]),
            f"{figures['peak_memory_bytes'] / 2**20:,.1f} MiB"]


def table(heading, columns, names, row_of):
    print(f"{heading}\n\n| schedule | {' | '.join(columns)} |\n|---|{'---|' * len(columns)}")
    for name in names:
        say(f"==> {name}")
        try:
            cells = row_of(name)
        except Refused as reason:
            cells = [f"not run: {str(reason).replace('|', '/')}", *[""] * (len(columns) - 1)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Compares the pipeline schedules and prints Markdown tables.")
    parser.add_argument("scenario", nargs="?", type=Path, default=SCENARIO, help="default: the 512-GPU scenario")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="as of moesim run")
    parser.add_argument("--stages", type=int, default=8, help="of the schedules by themselves")
    parser.add_argument("--microbatches", type=int, default=32)
    parser.add_argument("--moesim", type=Path, default=ROOT / "build/release/bin/moesim")
    options = parser.parse_args(arguments)
    if not options.moesim.exists():
        parser.error(f"there is no {options.moesim}; scripts/quickstart.sh builds it")
    if not options.scenario.exists():
        parser.error(f"there is no {options.scenario}")
    names = [schedule["name"] for schedule in answer(options.moesim, "list", "schedules")]
    table(f"{options.stages} stages, {options.microbatches} micro-batches, F = B = W = 1:",
          ["makespan", "bubble", "peak activations"], names,
          lambda name: by_itself(options.moesim, name, options.stages, options.microbatches))
    print()
    table(f"{options.scenario.name}:", ["iteration time", "bubble", "peak memory"], names,
          lambda name: in_scenario(options.moesim, name, options.scenario, options.set))
    return 0


if __name__ == "__main__":
    sys.exit(main())
