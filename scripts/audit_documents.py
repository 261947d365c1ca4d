#!/usr/bin/env python3
"""Audits the five deployment documents and prints Markdown tables: how many claims hold, what could be deployed instead, and of each
document the claims that do not hold. Draws a picture of the deployments' times when asked to.

Exit status: 0 done, 2 bad usage.
"""
import argparse
import html
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


def time(seconds):
    if seconds is None:
        return ""
    return f"{seconds:.4g} s" if seconds >= 1 else f"{1e3 * seconds:.4g} ms"


def changes(deployment):
    return ", ".join(f"{change['axis']} {change['from']} to {change['to']}" for change in deployment["changes"]) or "none"


def deployments_table(audits):
    lines = ["| scenario | wanted | as the document has it | nearest that does it | with | changes |", "|---|---|---|---|---|---|"]
    for result in audits:
        for one in result["deployments"]:
            missed = " (does not)" if one["meets"] is False else ""
            lines.append(f"| {one['scenario']} | {time(one['wanted_time_s']) or 'no figure'} | "
                         f"{time(one['time_as_given_s'])} | {time(one['time_s'])}{missed} | "
                         f"{one['memory_bytes'] / 1e9:.2f} GB | {cell(changes(one))} |")
    return "\n".join(lines)


def bars(one):
    """Name, seconds and colour of each bar of a deployment."""
    found = [("wanted", one["wanted_time_s"], "#667077"), ("document", one["time_as_given_s"], "#a8326d")]
    if one["changes"]:
        found.append(("instead", one["time_s"], "#00775a"))
    return [bar for bar in found if bar[1] is not None]


def picture(audits):
    """Times of a batch as bars, in each deployment the longest across the width."""
    left, width, rows, y = 80, 520, [], 8
    for result in audits:
        for one in result["deployments"]:
            y += 20
            rows.append(f'<text x="8" y="{y}" font-weight="bold">{html.escape(one["scenario"])}</text>')
            longest = max(seconds for _, seconds, _ in bars(one))
            for name, seconds, colour in bars(one):
                length = width * seconds / longest
                rows.append(f'<text x="8" y="{y + 16}">{name}</text><rect x="{left}" y="{y + 6}" width="{length:.1f}" height="12" '
                            f'fill="{colour}"/><text x="{left + length + 6:.1f}" y="{y + 16}">{time(seconds)}</text>')
                y += 16
            y += 6
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{y + 10}" font-family="Helvetica, Arial, sans-serif" '
            f'font-size="12"><rect width="100%" height="100%" fill="#fff"/>{"".join(rows)}</svg>\n')


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
    parser.add_argument("--picture", type=Path, help="FILE.svg: the deployments' times, as bars")
    options = parser.parse_args(arguments)
    if not options.moesim.exists():
        parser.error(f"there is no {options.moesim}; scripts/quickstart.sh builds it")
    audits = [audit(options.moesim, SCENARIOS / f"{name}.yaml") for name in DOCUMENTS]
    print(counts_table(audits))
    print(f"\n### What could be deployed instead\n\n{deployments_table(audits)}")
    if options.picture:
        options.picture.write_text(picture(audits), encoding="utf-8")
    for result in audits:
        print(f"\n### {result['name']}\n\n{failures_table(result)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
