#!/usr/bin/env python3
"""Runs a scenario with ever more skewed routing, with each remedy, and prints a Markdown table of what it costs.

Routing is Zipf's: the n-th most popular expert of a layer is chosen in proportion to n^-s, and which experts those are
differs from layer to layer. Beside the iteration time stands how loaded the busiest rank is (over the mean of its
group), and the share of token copies that are dropped. Exit status: 0 done, 2 bad usage.
"""
import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCENARIO = ROOT / "workloads/scenarios/moe30b-gpus512-tp8-pp4-ep16.yaml"

# Name, and what it sets. {ep} is the scenario's, so that each rank has one expert more with `redundant_experts`.
# Balancers that look at the load of earlier iterations move experts before iterations 1, 11, 21, while the router
# drifts: shown are the last iteration before a move, and the one with the move.
REMEDIES = (
    ("none", ()),
    ("round-robin placement", ("moe.placement=round-robin",)),
    ("capacity factor 1.25, dropping", ("moe.capacity_factor=1.25",)),
    ("capacity factor 1.25, rerouting", ("moe.capacity_factor=1.25", "moe.balancing=reroute")),
    ("EPLB", ("moe.balancing=eplb",)),
    ("EPLB, a redundant expert a rank", ("moe.balancing=eplb", "moe.redundant_experts={ep}")),
    ("periodic, 10 iterations after a move",
     ("moe.balancing={{type: periodic, interval: 10}}", "moe.redundant_experts={ep}", "moe.iteration=20")),
    ("periodic, the iteration with the move",
     ("moe.balancing={{type: periodic, interval: 10}}", "moe.redundant_experts={ep}", "moe.iteration=21")),
    ("predictive, 10 iterations after a move",
     ("moe.balancing={{type: predictive, interval: 10}}", "moe.redundant_experts={ep}", "moe.iteration=20")),
    ("work stealing, 50 us", ("moe.balancing={{type: work-stealing, reaction_time: 50us}}",)),
)


def say(text):
    print(text, file=sys.stderr, flush=True)


class Refused(Exception):
    """Why a run has no result; goes into the table."""


def ran(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):  # 1: it does not fit into memory, which is no reason not to say how long it takes
        lines = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
        raise Refused(lines[0].split(": ", 2)[-1] if lines else f"exit status {done.returncode}")
    return done.stdout


def degree(options, field):
    """A parallel degree of the scenario, as `moesim check` resolves it."""
    resolved = ran([options.moesim, "check", options.scenario])
    return int(re.search(rf"^parallel:.*?\b{field}: (\d+)", resolved, re.DOTALL | re.MULTILINE).group(1))


def cell(options, skew, settings):
    routing = f"moe.routing={{type: zipf, exponent: {skew}, drift: {options.drift}}}"
    words = [word for setting in (*options.set, routing, *settings) for word in ("--set", setting)]
    began = time.monotonic()
    try:
        figures = json.loads(ran([options.moesim, "run", options.scenario, *words, "--json"]))
    except Refused as reason:
        return f"not run: {str(reason).replace('|', '/')}"
    say(f"    s = {skew}: {figures['simulated_ranks']:,} GPUs simulated, {time.monotonic() - began:.2f} s")
    text = f"{1e3 * figures['iteration_time_s']:,.1f} ms, {figures['rank_load_max_over_mean']:.2f}"
    dropped = figures["dropped_tokens"] / figures["routed_tokens"]
    return text + (f", {100 * dropped:.1f} % dropped" if dropped > 0 else "")


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Runs a scenario with skewed routing and each remedy; prints Markdown: "
                                                 "iteration time, load of the busiest rank over the mean, dropped.")
    parser.add_argument("scenario", nargs="?", type=Path, default=SCENARIO, help="default: the 512-GPU scenario")
    parser.add_argument("--skew", metavar="S", type=float, nargs="+", default=[0, 0.5, 1, 1.5])
    parser.add_argument("--drift", type=float, default=0.1, help="of the router, an iteration (default 0.1)")
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="as of moesim run")
    parser.add_argument("--moesim", type=Path, default=ROOT / "build/release/bin/moesim")
    options = parser.parse_args(arguments)
    if not options.moesim.exists():
        parser.error(f"there is no {options.moesim}; scripts/quickstart.sh builds it")
    if not options.scenario.exists():
        parser.error(f"there is no {options.scenario}")
    try:
        ep = degree(options, "ep")
    except Refused as reason:
        say(f"error: {reason}")
        return 2
    print(f"| remedy | {' | '.join(f's = {skew:g}' for skew in options.skew)} |\n|---|{'---|' * len(options.skew)}")
    for name, settings in REMEDIES:
        say(f"==> {name}")
        told = [setting.format(ep=ep) for setting in settings]
        print(f"| {name} | {' | '.join(cell(options, skew, told) for skew in options.skew)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
