#!/usr/bin/env python3
"""Measures kernels of the GPU of this machine with PyTorch, for `moesim calibrate`. Needs nothing of moesim.

Writes CSV: kernel, precision, groups, m, n, k, launches, microseconds (simulator/calibration/measurements.hpp). Each
kernel runs in a CUDA graph of --launches, so that the host's time does not count. `--list` prints the kernels without
measuring them. Exit status: 0 done, 1 no GPU, 2 bad usage.
"""
import argparse
import csv
import itertools
import os
import statistics
import sys
from pathlib import Path
from typing import NamedTuple

COLUMNS = ("kernel", "precision", "groups", "m", "n", "k", "launches", "microseconds")
REPLAYS = 5  # of the graph; the median counts
FP8_MULTIPLE = 16  # of every extent: what torch._scaled_mm takes


class Kernel(NamedTuple):
    name: str
    precision: str
    groups: int
    m: int
    n: int
    k: int


def kernels(precisions):
    """From one row to many, from one tile to many waves, heads of both usual sizes."""
    for precision in precisions:
        for m, n, k in itertools.product((1, 16, 128, 512, 1024, 4096, 8192), (512, 1024, 4096, 8192), (256, 1024, 4096, 8192)):
            if precision != "fp8" or m % FP8_MULTIPLE == 0:
                yield Kernel("gemm", precision, 1, m, n, k)
    for name in ("attention", "attention-backward"):
        for length, heads, size in itertools.product((512, 1024, 2048, 4096, 8192), (16, 64), (64, 128)):
            yield Kernel(name, "bf16", heads, length, length, size)
    for megabytes in (0.0625, 0.25, 1, 4, 16, 64, 256, 1024):
        yield Kernel("copy", "bf16", 1, 1024, int(megabytes * 512), 1)


def launch_of(torch, kernel):
    """A function that launches the kernel once."""
    types = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    _, precision, groups, m, n, k = kernel
    if kernel.name == "copy":
        source = torch.randn(m, n, device="cuda").to(types[precision])
        target = torch.empty_like(source)
        return lambda: target.copy_(source)
    if kernel.name == "gemm" and precision == "fp8":
        one = torch.ones((), device="cuda")
        a = torch.randn(m, k, device="cuda").to(torch.float8_e4m3fn)
        b = torch.randn(n, k, device="cuda").to(torch.float8_e4m3fn).t()
        return lambda: torch._scaled_mm(a, b, one, one, out_dtype=torch.bfloat16)
    if kernel.name == "gemm":
        a = torch.randn(m, k, device="cuda").to(types[precision])
        b = torch.randn(n, k, device="cuda").to(types[precision]).t()  # as the weight of a linear layer lies
        return lambda: torch.matmul(a, b)
    needs_gradient = kernel.name == "attention-backward"
    query, key, value = (torch.randn(1, groups, m, k, device="cuda", dtype=types[precision], requires_grad=needs_gradient)
                         for _ in range(3))
    attention = torch.nn.functional.scaled_dot_product_attention
    if not needs_gradient:
        return lambda: attention(query, key, value, is_causal=True)
    result = attention(query, key, value, is_causal=True)
    gradient = torch.randn_like(result)
    return lambda: torch.autograd.grad(result, (query, key, value), gradient, retain_graph=True)


def microseconds(torch, kernel, launches):
    """Mean time of one launch in a graph of many, median over replays."""
    stream = torch.cuda.Stream()  # of the capture; a backward runs on the stream of its forward
    with torch.cuda.stream(stream):
        launch = launch_of(torch, kernel)
        launch()  # libraries choose their kernels and allocate before the capture
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream):
        for _ in range(launches):
            launch()
    times = []
    for _ in range(REPLAYS):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        graph.replay()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) * 1e3 / launches)
    return statistics.median(times)


def write(path, rows):
    """Renamed when it is whole, so that an interrupted run leaves no half of a table."""
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(rows)
    os.replace(partial, path)


def gpu_library():
    """PyTorch, or the reason why nothing can be measured."""
    try:
        import torch
    except ImportError:
        return None, "PyTorch is not installed; expected such as `pip install torch`"
    return (torch, "") if torch.cuda.is_available() else (None, "PyTorch finds no GPU on this machine")


def measure_all(options):
    torch, problem = gpu_library()
    if torch is None:
        print(problem, file=sys.stderr)
        return 1
    rows = []
    todo = list(kernels(options.precision))
    for done, kernel in enumerate(todo, 1):
        print(f"{done} of {len(todo)}: {' '.join(map(str, kernel))}", file=sys.stderr)
        rows.append((*kernel, options.launches, f"{microseconds(torch, kernel, options.launches):.4f}"))
    write(options.output, rows)
    print(f"wrote {options.output}")
    return 0


def at_least_one(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is too small; expected 1 or more")
    return value


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("-o", "--output", type=Path, metavar="FILE.csv", help="where the table goes")
    target.add_argument("--list", action="store_true", help="print the kernels and measure nothing")
    parser.add_argument("--precision", nargs="+", choices=("fp32", "bf16", "fp16", "fp8"), default=["bf16"],
                        help="of matrix products (default: bf16)")
    parser.add_argument("--launches", type=at_least_one, default=30, metavar="N",
                        help="of a kernel in a row (default: 30)")
    options = parser.parse_args(arguments)
    if options.list:
        csv.writer(sys.stdout, lineterminator="\n").writerows([COLUMNS[:6], *kernels(options.precision)])
        return 0
    return measure_all(options)


if __name__ == "__main__":
    sys.exit(main())
