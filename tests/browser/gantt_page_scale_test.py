"""The interactive page with a million tasks: prints its size, how long it takes to open, and how fast it pans.

usage: gantt_page_scale_test.py MOESIM SCENARIO   (needs h5py)

The run is the 512-GPU scenario with more micro-batches, every GPU simulated and shown. Its GPUs behave alike, which
compresses well; so the durations are made uneven first, each task by a random part of up to a tenth at either end.
"""

import pathlib
import subprocess
import sys
import tempfile
import time

import h5py
import numpy

from browser import Browser

LARGEST = 60_000_000  # bytes

# Moves the view to and fro by a hundredth of what it shows; the times of drawing and between frames, in ms, sorted.
PAN = """(async () => {
  const draws = [], frames = [];
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  let before = await frame();
  for (let i = 0; i < 60; ++i) {
    moesim.view.pan(i % 30 < 15 ? 0.01 : -0.01);
    const now = await frame();
    draws.push(moesim.drawTime);
    frames.push(now - before);
    before = now;
  }
  return [draws, frames].map((times) => times.sort((a, b) => a - b));
})()"""


def make_uneven(path: pathlib.Path) -> None:
    random = numpy.random.default_rng(1)
    with h5py.File(path, "r+") as file:
        tasks = {name: column[:] for name, column in file["tasks"].items()}
        length = tasks["end"] - tasks["start"]
        tasks["start"] += 0.1 * length * random.random(len(length))
        tasks["end"] -= 0.1 * length * random.random(len(length))
        order = numpy.lexsort((tasks["stream"], tasks["start"], tasks["rank"]))
        for name, column in tasks.items():
            file["tasks"][name][...] = column[order]


def measure_panning(browser: Browser, what: str) -> None:
    draws, frames = browser.evaluate(PAN)
    rectangles = browser.evaluate("moesim.chart.drawn")
    print(f"{what}: drawing takes {draws[30]:.1f} ms (median; at most {draws[-1]:.1f}), a frame comes every "
          f"{frames[30]:.1f} ms (median; at most {frames[-1]:.1f}), {rectangles:,} rectangles")


def main() -> None:
    moesim, scenario = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        file, page = pathlib.Path(folder, "run.h5"), pathlib.Path(folder, "run.html")
        subprocess.run([moesim, "run", scenario, "--set", "simulation.symmetry=off", "--set",
                        "training.global_batch_size=704", "-o", file], check=True, capture_output=True)
        make_uneven(file)
        begin = time.monotonic()
        subprocess.run([moesim, "gantt", file, "-o", page, "--ranks", "0-511"], check=True, capture_output=True)
        print(f"writing: {time.monotonic() - begin:.1f} s")
        size = page.stat().st_size
        begin = time.monotonic()
        browser.open(page)
        browser.wait_for("document.body && document.body.dataset.ready === 'yes'")
        browser.settle()
        opening, tasks = time.monotonic() - begin, browser.evaluate("moesim.model.rows.shown")
        print(f"page: {size / 1e6:.1f} MB, {tasks:,} tasks, open after {opening:.1f} s")
        assert size <= LARGEST, f"the page has {size} bytes"
        browser.evaluate("moesim.view.magnify(1.3), 0")
        measure_panning(browser, "panning, nearly everything in view")
        browser.evaluate("moesim.lanes.openAll(true), 0")
        measure_panning(browser, "the same with every stream open")
        browser.evaluate("moesim.view.magnify(20), 0")
        measure_panning(browser, "panning, zoomed in")
        begin = time.monotonic()
        browser.evaluate("document.getElementById('search').value = 'attention mb:3', moesim.search.find(), 0")
        browser.settle()
        print(f"search: {browser.evaluate('moesim.search.hits.length'):,} hits after {time.monotonic() - begin:.2f} s")
        assert browser.errors == [], browser.errors


main()
