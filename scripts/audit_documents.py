#!/usr/bin/env python3
"""Audits the five deployment documents and prints Markdown tables: how many claims hold, and of each document those that do not.

Exit status: 0 done, 2 bad usage.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = ROOT / "workloads/scenarios"
DOCUMENTS = ("gpus16-ep8-tp2", "moe10b-gpus64-ep8-tp4-pp2", "moe8l-gpus16-tp4-ep4-pp4", "moe10b-gpus16-pp4-ep4-dp4",
             "moe30b-gpus512-tp8-pp4-ep16")
VERDICTS = ("consistent", "self-contradiction", "refuted", "beyond-hardware", "not-checkable")
HOLDS = ("consistent", "not-checkable")


def audit(moesim, scenario):
    done = subprocess.run([moesim, "audit", scenario, "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def cell(text):
    return text.replace("|", "\\|")


def figure(value, unit):
    if value is None:
        return ""
    if unit == "fraction":
        value, unit = 100 * value, "%"
    number = f"{value:,.0f}" if abs(value) >= 1e4 or value == int(value) else f"{value:.4g}"
    return f"{number}{'' if unit in ('', 'x') else ' '}{unit}"


def counts_table(audits):
    lines = [f"| document | claims | {' | '.join(VERDICTS)} |", "|---|" + "---|" * (1 + len(VERDICTS))]
    for result in audits:
        found = [claim["verdict"] for claim in result["claims"]]
        lines.append(f"| {result['name']} | {len(found)} | {' | '.join(str(found.count(each)) for each in VERDICTS)} |")
    return "\n".join(lines)


def failures_table(result):
    lines = ["| what it says | by its own figures | simulated | verdict | because |", "|---|---|---|---|---|"]
    for claim in result["claims"]:
        if claim["verdict"] not in HOLDS:
            lines.append(f"| {cell(claim['quote'])} | {figure(claim['derived'], claim['unit'])} | "
                         f"{figure(claim['simulated'], claim['unit'])} | {claim['verdict']} | {cell(claim['because'])} |")
    return "\n".join(lines)


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Audits the five deployment documents and prints Markdown tables.")
    parser.add_argument("--moesim", type=Path, default=ROOT / "build/release/bin/moesim")
    options = parser.parse_args(arguments)
    if not options.moesim.exists():
        parser.error(f"there is no {options.moesim}; scripts/quickstart.sh builds it")
    audits = [audit(options.moesim, SCENARIOS / f"{name}.yaml") for name in DOCUMENTS]
    print(counts_table(audits))
    for result in audits:
        print(f"\n### {result['name']}\n\n{failures_table(result)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
