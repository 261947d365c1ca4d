#!/usr/bin/env python3
"""Builds moesim, measures it and prints the table that README.md quotes: Markdown on stdout, progress on stderr.

What each row means is in tests/benchmarks/README.md. Exit status: 0 done, 1 something could not be measured (the table
says what), 2 bad usage.
"""
import argparse
import csv
import json
import math
import os
import platform
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = ROOT / "workloads/scenarios"
LARGE = [SCENARIOS / "moe30b-gpus512-tp8-pp4-ep16.yaml", "--set", "training.global_batch_size=1024"]  # 32 micro-batches
EVERY_GPU = ["--set", "simulation.symmetry=off"]

REPETITIONS = 5
ENOUGH_SECONDS = 60     # of one measurement: what takes longer is repeated less often
LONGEST_SECONDS = 300   # of one run: what is not folded where it should be may take hours
MOST_BYTES = 8 << 30    # of one run, and all of the machine's memory

MIB = 1 << 20

Usage = namedtuple("Usage", "wall cpu peak runs output")  # s, s, bytes; how often it ran; stdout


class NotMeasured(Exception):
    """A program that fails or takes too long; the text goes into the table."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def seconds(value):
    return f"{value:.3g} s"


def exponent(points):
    """The e of y = c x^e that fits (x, y) points best: least squares over their logarithms."""
    xs, ys = ([math.log(value) for value in column] for column in zip(*points))
    x, y = statistics.fmean(xs), statistics.fmean(ys)
    return sum((a - x) * (b - y) for a, b in zip(xs, ys)) / sum((a - x) ** 2 for a in xs)


def run_once(command):
    """Runs a program in a process of its own, within the limits above."""
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
        signal.alarm(LONGEST_SECONDS)  # survives exec, and ends the program

    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        began = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=err, preexec_fn=limit)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode == -signal.SIGALRM:
            raise NotMeasured(f"stopped after {LONGEST_SECONDS} s")
        if process.returncode != 0:
            lines = err.read().splitlines()
            raise NotMeasured(lines[-1] if lines else f"exit status {process.returncode}")
        return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, 1, out.read())


def medians(commands, repetitions):
    """The median Usage of each command. They take turns, so that what else the machine does concerns all alike."""
    began = time.monotonic()
    runs = []
    while len(runs) < repetitions and (not runs or time.monotonic() - began < ENOUGH_SECONDS):
        runs.append([run_once(command) for command in commands])
    return [Usage(*(statistics.median(getattr(run, field) for run in of_one) for field in ("wall", "cpu", "peak")),
                  len(runs), of_one[-1].output) for of_one in zip(*runs)]


class Bench:
    """What there is to measure, each as a function that returns (measured, yardstick) for its row."""

    def __init__(self, build, repetitions, folder):
        self.build, self.repetitions, self.result = build, repetitions, Path(folder) / "result.h5"

    def program(self, name):
        path = self.build / "benchmarks" / name
        if not path.exists():
            raise NotMeasured(f"{name} is not built")
        return path

    def moesim(self, *arguments):
        return [self.build / "bin/moesim", "run", *arguments, "--json", "-o", self.result]

    def floor(self, *arguments):
        """The command of bare SimGrid with as many Execs and Comms as a scenario."""
        return [self.program("simgrid_floor"),
                *run_once([self.program("floor_arguments"), *arguments]).output.split()]

    def google(self, program, pattern, repetitions=None):
        """Medians of a Google Benchmark program: {name: {real_time: s, items_per_second: ..., counters ...}}."""
        output = run_once([self.program(program), f"--benchmark_filter={pattern}", "--benchmark_format=json",
                           f"--benchmark_repetitions={repetitions or self.repetitions}"]).output
        unit = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}
        runs = {}
        for run in json.loads(output)["benchmarks"]:
            if run.get("run_type", "iteration") == "iteration":
                run["real_time"] *= unit[run["time_unit"]]
                runs.setdefault(run["name"], []).append(run)
        if not runs:
            raise NotMeasured(f"{program} has no {pattern}")
        return {name: {key: statistics.median(run[key] for run in of_name) for key, value in of_name[0].items()
                       if isinstance(value, (int, float))} for name, of_name in runs.items()}

    def whole_run(self, *arguments):
        usage, = medians([self.moesim(*arguments)], self.repetitions)
        return described(usage), ""

    def against_floor(self):
        scenario = [*LARGE, *EVERY_GPU]
        run, floor = medians([self.moesim(*scenario), self.floor(*scenario)], self.repetitions)
        return described(run), (f"{run.cpu / floor.cpu:.2f} x bare SimGrid: {seconds(run.cpu)} against "
                                f"{seconds(floor.cpu)} of CPU time; its memory: {floor.peak / MIB:.0f} MiB")

    def executor(self):
        benchmark, = self.google("executor_benchmark", "^Chain/fluid/512/").values()
        floors = []
        for _ in range(self.repetitions):
            words = run_once([self.program("simgrid_floor")]).output.split()
            floors.append(dict(zip(words[::2], map(float, words[1::2]))))
        simulated, floor = floors[0]["simulated"], statistics.median(one["seconds"] for one in floors)
        if abs(benchmark["simulated"] - simulated) > 1e-9 * simulated:
            raise NotMeasured("the executor and bare SimGrid did not run the same job")
        return (f"{seconds(benchmark['real_time'])} of CPU time",
                f"{benchmark['real_time'] / floor:.2f} x bare SimGrid ({seconds(floor)})")

    def grown(self, gpus, micro_batches):
        """Options for a job whose GPUs all do the same, however many there are: data parallelism grows."""
        return [SCENARIOS / "mixtral-8x7b-h100x64.yaml", "--set", f"platform.nodes={gpus // 8}", "--set",
                f"parallel.dp={gpus // 8}", "--set", f"training.global_batch_size={gpus // 8 * micro_batches}"]

    def growth(self):
        sizes = [64, 128, 256, 512, 1024, 2048]
        runs, floors = [], []
        for gpus in sizes:
            scenario = [*self.grown(gpus, 16), *EVERY_GPU]
            run, floor = medians([self.moesim(*scenario), self.floor(*scenario)], self.repetitions)
            say(f"    {gpus} GPUs: {seconds(run.cpu)}, bare SimGrid {seconds(floor.cpu)}")
            runs.append(run.cpu)
            floors.append(floor.cpu)
        return (f"GPUs^{exponent(zip(sizes, runs)):.2f} ({seconds(runs[0])} to {seconds(runs[-1])} of CPU time)",
                f"bare SimGrid: GPUs^{exponent(zip(sizes, floors)):.2f} "
                f"({seconds(floors[0])} to {seconds(floors[-1])})")

    def folded_growth(self):
        sizes = [512, 2048, 8192, 32768, 131072]
        walls = []
        for gpus in sizes:
            usage, = medians([self.moesim(*self.grown(gpus, 8))], self.repetitions)
            say(f"    {gpus} GPUs: {described(usage)}")
            walls.append(usage.wall)
        return f"GPUs^{exponent(zip(sizes, walls)):.2f} ({seconds(walls[0])} to {seconds(walls[-1])})", ""

    def collective(self, name, gpus, repetitions=None):
        """One collective in each fidelity, its costs included."""
        runs = self.google("executor_benchmark", f"^{name}/.*/{gpus}/", repetitions)
        if len({f"{run['simulated']:.9g}" for run in runs.values()}) > 1:
            raise NotMeasured("the fidelities do not agree")
        return "; ".join(f"{key.split('/')[1]} {seconds(run['real_time'])}, {run['items_per_second'] / 1e3:,.0f} thousand "
                         "flows/s" for key, run in runs.items()), ""

    def fidelities(self):
        measured, ratios = [], []
        for network in ("analytic", "fluid", "flow"):
            scenario = [*LARGE, *EVERY_GPU, "--set", f"simulation.network={network}"]
            run, floor = medians([self.moesim(*scenario), self.floor(*scenario)], self.repetitions)
            measured.append(f"{network} {seconds(run.wall)}, {run.peak / MIB:.0f} MiB")
            ratios.append(f"{network} {run.cpu / floor.cpu:.2f}")
        return "; ".join(measured), "CPU time over that of bare SimGrid: " + "; ".join(ratios)

    def recording(self):
        benchmark, = self.google("record_benchmark", "^Record/write/").values()
        return f"{benchmark['items_per_second'] / 1e6:.1f} million rows/s", ""

    def screen(self):
        rates = [f"{name.removeprefix('Screen/')}: {of_name['items_per_second']:,.0f}/s"
                 for name, of_name in self.google("screen_benchmark", "^Screen/").items()]
        return ", ".join(rates), ""

    def schedules(self):
        times = {name.removeprefix("Schedule/"): of_name["real_time"]
                 for name, of_name in self.google("schedule_benchmark", "^Schedule/").items()}
        searched = times.pop("zb-auto")
        slowest = max(times, key=times.get)
        return f"{slowest}: {seconds(times[slowest])}; zb-auto, which searches: {seconds(searched)}", ""


    def sweep(self):
        rates, outside, used = [], [], []
        for processes in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                usage = run_once([self.build / "bin/moesim", "sweep", ROOT / "tests/benchmarks/thousand_points.yaml",
                                  "-o", Path(folder, "sweep"), "-j", processes])
                with Path(folder, "sweep/timing.csv").open() as timing:
                    points = [float(point["wall_time_s"]) for point in csv.DictReader(timing)]
            rates.append(f"{len(points) / usage.wall:.1f}")
            outside.append(1 - sum(points) / (processes * usage.wall))
            used.append(usage.cpu / len(points))
        return (f"{rates[0]} and {rates[1]} points/s with one and two processes, {1000 * max(used):.0f} ms of CPU time "
                f"a point", f"{max(outside):.1%} of the processes' time is spent outside of points")


def described(usage):
    summary = json.loads(usage.output)
    return (f"{seconds(usage.wall)}, {usage.peak / MIB:.0f} MiB; {summary['simulated_ranks']:,} of "
            f"{summary['world_size']:,} GPUs simulated (median of {usage.runs})")


def rows(bench):
    """(what, aim, function that measures it)"""
    whole = bench.whole_run
    return [
        ("512 GPUs, 32 micro-batches, every GPU simulated", "1.5 x bare SimGrid", bench.against_floor),
        ("the same, folded", "0.05 s", lambda: whole(*LARGE)),
        ("DeepSeek-V3 on 2,048 H800, folded", "1 s", lambda: whole(SCENARIOS / "deepseek-v3-h800x2048.yaml")),
        ("Llama 3 405B on 16,384 H100, folded", "1 s", lambda: whole(SCENARIOS / "llama-3-405b-h100x16384.yaml")),
        ("MoE on 100,352 H100, folded", "5 s, 2,048 MiB", lambda: whole(SCENARIOS / "moe-h100x100352.yaml")),
        ("growth from 64 to 2,048 GPUs, every GPU simulated", "GPUs^1.1", bench.growth),
        ("growth from 512 to 131,072 GPUs, folded", "flat but for the layout", bench.folded_growth),
        ("executor alone: 512 GPUs, 1.2 million kernels and flows", "1.2 x bare SimGrid", bench.executor),
        ("all-to-all of 64 MiB over 512 GPUs", "fluid 0.05 s", lambda: bench.collective("AllToAll", 512)),
        ("all-reduce of 64 MiB over 512 GPUs", "fluid 0.05 s", lambda: bench.collective("AllReduce", 512)),
        ("all-to-all of 64 MiB over 2,048 GPUs", "", lambda: bench.collective("AllToAll", 2048, 1)),
        ("512 GPUs, every GPU simulated, by fidelity", "1.5 x bare SimGrid", bench.fidelities),
        ("recording to HDF5", "2 million rows/s", bench.recording),
        ("analytical screen", "100,000 candidates/s", bench.screen),
        ("order of a pipeline schedule: 16 stages, 512 micro-batches, 4 chunks", "0.05 s", bench.schedules),
        ("sweep of 1,000 points: 512 GPUs, folded, 2 to 400 micro-batches", "5 % outside of points", bench.sweep),
    ]


def machine():
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    version = subprocess.run(["pkg-config", "--modversion", "simgrid"], capture_output=True, text=True).stdout.strip()
    models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{system}, SimGrid {version}, {os.cpu_count()} cores of {models[0] if models else platform.machine()}"


def make(build):
    say(f"==> Building moesim and its benchmarks in {build.relative_to(ROOT)}")
    subprocess.run([ROOT / "scripts/install_packages.sh", "build", "test"], check=True, stdout=sys.stderr)
    for command in (["cmake", "--preset", "release", "-DMOESIM_BUILD_TESTS=ON"],
                    ["cmake", "--build", "--preset", "release"]):
        subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)


def pattern(text):
    try:
        return re.compile(text)
    except re.error as problem:
        raise argparse.ArgumentTypeError(f"'{text}' is not a regular expression: {problem}")


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Measures moesim and prints a Markdown table.")
    parser.add_argument("--only", metavar="REGEX", type=pattern, default="", help="the rows whose name matches")
    parser.add_argument("--quick", action="store_true", help="measure once instead of taking medians")
    parser.add_argument("--build", metavar="DIR", type=Path, help="take the programs of this folder as they are")
    options = parser.parse_args(arguments)
    if options.build and not (options.build / "bin/moesim").exists():
        parser.error(f"there is no bin/moesim in {options.build}; leave --build out, and it is built")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench((options.build or ROOT / "build/release").resolve(), 1 if options.quick else REPETITIONS, folder)
        chosen = [row for row in rows(bench) if re.search(options.only, row[0])]
        if not chosen:
            parser.error("no row matches --only; there are: " + "; ".join(what for what, _, _ in rows(bench)))
        if not options.build:
            make(bench.build)
        is_complete = True
        print("| what | aim | measured | yardstick |\n|---|---|---|---|")
        for what, aim, measure in chosen:
            say(f"==> {what}")
            try:
                measured, yardstick = measure()
            except NotMeasured as problem:
                measured, yardstick, is_complete = f"not measured: {problem}", "", False
            print(f"| {what} | {aim} | {measured} | {yardstick} |", flush=True)
    print(f"\n{machine()}")
    return 0 if is_complete else 1


if __name__ == "__main__":
    sys.exit(main())
