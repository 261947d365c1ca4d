#!/usr/bin/env python3
"""Runs a scenario on the networks that people buy, in each fidelity, and prints a Markdown table.

The GPUs stay those of the scenario; only what joins them changes. A network that cannot do it has the reason in its row.
Exit status: 0 done, 2 bad usage.
"""
import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = [ROOT / "workloads/scenarios" / f"{name}.yaml"
             for name in ("moe30b-gpus512-tp8-pp4-ep16", "deepseek-v3-h800x2048")]
FIDELITIES = ("analytic", "fluid", "flow")

# Name, and what it changes; {gpu}, {nodes} and {racks} are the scenario's.
NETWORKS = (
    ("non-blocking", "platform.fabric={{type: non-blocking}}"),
    ("fat tree, 4 nodes a leaf, 1:1", "platform.fabric={{type: fat-tree, nodes_per_leaf: 4}}"),
    ("fat tree, 4 nodes a leaf, 2:1", "platform.fabric={{type: fat-tree, nodes_per_leaf: 4, oversubscription: 2}}"),
    ("rail-optimized, 32 nodes a leaf, 1:1", "platform.fabric={{type: rail-optimized, nodes_per_leaf: 32}}"),
    ("rail-optimized, 4 nodes a leaf, 2:1",
     "platform.fabric={{type: rail-optimized, nodes_per_leaf: 4, oversubscription: 2}}"),
    ("rail-only", "platform.fabric={{type: rail-only, nodes_per_leaf: {nodes}}}"),
    ("NVL72, 64 GPUs of each rack", "platform={{base: gb200-nvl72, gpu: {gpu}, node: {{gpus: 64}}, nodes: {racks}}}"),
)


def say(text):
    print(text, file=sys.stderr, flush=True)


class Refused(Exception):
    """Why a run has no result; goes into the table."""


def ran(command, seconds=None):
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                              timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Refused(f"stopped after {seconds:g} s") from None
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
        raise Refused(lines[0].split(": ", 2)[-1] if lines else f"exit status {done.returncode}")
    return done.stdout


class Comparison:
    def __init__(self, options, scenario):
        self.options, self.scenario = options, scenario
        lines = self.output("dump", "platform", scenario).splitlines()
        words = {line.split(maxsplit=1)[0]: line.split() for line in lines}
        nodes = int(next(word for word in words["cluster"] if word.startswith("nodes=")).split("=")[1])
        per_node = int(next(word for word in words["cluster"] if word.startswith("gpus_per_node=")).split("=")[1])
        self.facts = {"gpu": words["gpu"][1], "nodes": nodes, "racks": -(-nodes * per_node // 64)}

    def output(self, *arguments):
        return ran([self.options.moesim, *arguments])

    def cell(self, change, fidelity):
        settings = [*self.options.set, change.format(**self.facts), f"simulation.network={fidelity}"]
        words = [word for setting in settings for word in ("--set", setting)]
        began = time.monotonic()
        try:
            figures = json.loads(ran([self.options.moesim, "run", self.scenario, *words, "--json"],
                                     self.options.seconds))
        except Refused as reason:
            return f"not run: {str(reason).replace('|', '/')}"
        took = time.monotonic() - began
        say(f"    {fidelity}: {figures['simulated_ranks']:,} GPUs simulated, {took:.2f} s")
        return f"{1e3 * figures['iteration_time_s']:,.2f} ms, {100 * figures['exposed_communication_fraction']:.1f} %"

    def table(self):
        print(f"{self.scenario.name}:\n\n| network | {' | '.join(FIDELITIES)} |\n|---|{'---|' * len(FIDELITIES)}")
        for name, change in NETWORKS:
            say(f"==> {self.scenario.stem} on {name}")
            print(f"| {name} | {' | '.join(self.cell(change, fidelity) for fidelity in FIDELITIES)} |", flush=True)
        print()


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Runs scenarios on several networks, in each fidelity; prints Markdown: "
                                                 "iteration time, and the share of exposed communication.")
    parser.add_argument("scenario", nargs="*", type=Path, default=SCENARIOS,
                        help="default: the 512-GPU scenario and DeepSeek-V3")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="as of moesim run")
    parser.add_argument("--seconds", type=float, default=300, help="the longest that one run may take (default 300)")
    parser.add_argument("--moesim", type=Path, default=ROOT / "build/release/bin/moesim")
    options = parser.parse_args(arguments)
    if not options.moesim.exists():
        parser.error(f"there is no {options.moesim}; scripts/quickstart.sh builds it")
    for scenario in options.scenario:
        if not scenario.exists():
            parser.error(f"there is no {scenario}")
    try:
        for scenario in options.scenario:
            Comparison(options, scenario).table()
    except Refused as reason:
        say(f"error: {reason}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
