"""The interactive page of the 512-GPU scenario, used as people use it; what it says is compared with the result file.

usage: gantt_page_test.py MOESIM SCENARIO   (needs h5py)
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy

from browser import Browser
from gantt_picture_test import BACKWARD, FORWARD, runs_of
from result_file import Result

EXPERT_PARALLEL = (230, 159, 0)
SHIFT = 8  # modifier of the DevTools protocol


class Page:
    """The page in the browser."""

    def __init__(self, browser: Browser, path: pathlib.Path) -> None:
        self.browser = browser
        browser.open(path)
        browser.wait_for("document.body && document.body.dataset.ready === 'yes'")
        browser.settle()

    def ask(self, script: str) -> object:
        return self.browser.evaluate(script)

    def domain(self) -> list[float]:
        return self.ask("moesim.view.scale.domain()")

    def point(self, result: Result, row: int) -> tuple[float, float]:
        """The middle of a row's rectangle: its rank's lane, its stream."""
        time = (result.tasks["start"][row] + result.tasks["end"][row]) / 2 * 1e9
        rank, stream = result.tasks["rank"][row], result.tasks["stream"][row]
        return tuple(self.ask(f"""(() => {{
            const bar = moesim.lanes.bars.find((bar) => bar.lane.rank === {rank} && bar.stream === {stream});
            const box = document.getElementById("overlay").getBoundingClientRect();
            const top = box.y - document.getElementById("scroll").scrollTop;
            return [box.x + moesim.view.scale({time}), top + bar.y + bar.height / 2];
        }})()"""))

    def show(self, result: Result, row: int) -> tuple[float, float]:
        """Opens every lane, zooms to a row until it takes a tenth of the width, and scrolls to it."""
        start, end = result.tasks["start"][row] * 1e9, result.tasks["end"][row] * 1e9
        margin = 4.5 * (end - start)
        self.ask(f"moesim.lanes.openAll(true), moesim.view.show({start - margin}, {end + margin}), 0")
        self.ask(f"document.getElementById('scroll').scrollTop += {self.point(result, row)[1] - 350}")
        self.browser.settle()
        return self.point(result, row)

    def button(self, text: str) -> tuple[float, float]:
        return tuple(self.ask(f"""(() => {{
            const buttons = [...document.querySelectorAll("button")];
            const button = buttons.find((button) => button.textContent.includes({text!r}));
            const box = button.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()"""))

    def width(self, result: Result, row: int) -> float:
        """Pixels."""
        start, end = (f"moesim.view.scale({result.tasks[name][row] * 1e9})" for name in ("start", "end"))
        return self.ask(f"{end} - {start}")

    def lane_labels(self) -> list[str]:
        return self.ask("[...document.querySelectorAll('.lane-label')].map((label) => label.textContent)")

    def text(self, selector: str) -> str:
        return self.ask(f"document.querySelector({selector!r}).innerText")

    def passes(self) -> list[str]:
        """Of each lane the order of forwards and backwards, as the pixels near the top of its blocks show it."""
        left = self.ask("document.getElementById('overlay').getBoundingClientRect().x")
        tops = self.ask("[...document.querySelectorAll('.lane-label')].map((label) => label.getBoundingClientRect().y)")
        pixels, lanes = self.browser.pixels(), []
        for top in tops:
            row = pixels[int(top) + 4][int(left):-320]
            blocks = [(x, "F") for x in runs_of(row, FORWARD, 5)] + [(x, "B") for x in runs_of(row, BACKWARD, 5)]
            lanes.append("".join(kind for _, kind in sorted(blocks)))
        return lanes


# Four micro-batches: stage s warms up with 3 - s forwards, then alternates.
ONE_F_ONE_B = ["FFFFBBBB", "FFFBFBBB", "FFBFBFBB", "FBFBFBFB"]


def check_picture(page: Page, result: Result) -> None:
    page.ask("moesim.lanes.openAll(false), moesim.view.reset(), 0")
    page.browser.settle()
    assert page.passes() == ONE_F_ONE_B, page.passes()
    assert abs(page.domain()[1] - result.makespan * 1e9) < 1


def check_zoom(page: Page, result: Result) -> None:
    def ticks() -> list[str]:
        return page.ask("[...document.querySelectorAll('#axis .tick text')].map((tick) => tick.textContent)")

    before, whole, x = ticks(), page.domain(), 500
    left = page.ask("document.getElementById('overlay').getBoundingClientRect().x")
    under = page.ask(f"moesim.view.scale.invert({x - left})")
    for _ in range(6):
        page.browser.wheel(x, 300, -200)
    zoomed = page.domain()
    assert zoomed[1] - zoomed[0] < (whole[1] - whole[0]) / 3, zoomed
    moved = page.ask(f"moesim.view.scale.invert({x - left})") - under
    assert abs(moved) < 0.01 * (zoomed[1] - zoomed[0]), "the moment under the pointer stays there"
    assert ticks() != before and len(ticks()) > 3, ticks()
    page.browser.drag((600, 300), (500, 300))
    assert page.domain()[0] > zoomed[0], "a drag to the left shows what is later"
    page.browser.press("ArrowLeft")
    page.browser.press("+")
    page.browser.drag((500, 300), (600, 300), SHIFT)
    assert page.domain()[1] - page.domain()[0] < (zoomed[1] - zoomed[0]) / 3, "shift and drag choose a range"
    page.browser.press("0")
    assert page.domain() == whole


def check_detail(page: Page, result: Result) -> None:
    """A task of which the whole view shows a pixel is, after zooming, as wide as its time, in its stream's colour."""
    row = result.rows(name="dispatch", micro_batch=1, layer=5, phase="forward")[0]
    x, y = page.show(result, row)
    pixels = page.browser.pixels()[int(y) - 5]
    width = page.width(result, row)
    assert width > 60
    inside = {pixels[int(x + part * width / 2)] for part in (-0.9, -0.5, 0, 0.5, 0.9)}
    assert inside == {EXPERT_PARALLEL}, inside
    assert pixels[int(x + 0.6 * width)] != EXPERT_PARALLEL


def check_hover(page: Page, result: Result) -> None:
    for name, stage_rank in (("experts", 128), ("attention", 384)):
        row = result.rows(name=name, rank=stage_rank, micro_batch=2, phase="backward")[0]
        page.browser.move(*page.show(result, row))
        shown = page.text("#tooltip")
        assert shown.startswith(name), shown
        assert f"backward, micro-batch 2, layer {result.tasks['layer'][row]}" in shown, shown
        duration = (result.tasks["end"][row] - result.tasks["start"][row]) * 1e6
        assert f"{duration:.4g} us" in shown, (duration, shown)
        assert f"{result.tasks['flops'][row] / 1e9:.4g} GFLOP" in shown, shown
        assert f"{result.tasks['bytes'][row] / 2**20:.4g} MiB" in shown, shown
        cause = result.rows_before(row)[0]
        waited = shown.split("waited for")[1].strip()
        assert waited.startswith(result.word("name", cause)) and f"rank {result.tasks['rank'][cause]}" in waited, waited


def check_bubble(page: Page, result: Result) -> None:
    """Stage 1 is idle at first, and later for what others run."""
    page.ask("moesim.lanes.openAll(false), moesim.view.reset(), 0")
    page.browser.settle()
    label = page.ask("[...document.querySelectorAll('.lane-label')].map((label) => label.getBoundingClientRect().y)[1]")
    page.browser.move(page.ask("document.getElementById('overlay').getBoundingClientRect().x") + 5, label + 10)
    assert "warm-up" in page.text("#tooltip"), page.text("#tooltip")
    # The panel's table adds up to the bubble of the page's heading.
    mean = page.ask("[...document.querySelectorAll('#panel table.causes tr:last-child td')].map((cell) => cell.textContent)")
    assert abs(sum(float(share) for share in mean) - 100 * result.summary["bubble_fraction"]) < 0.5, mean
    causes = page.ask("moesim.model.header.bubbles")
    assert any(cause.startswith("waiting for stage ") for cause in causes), causes


def check_selection(page: Page, result: Result) -> None:
    row = result.rows(stream="pp-recv-next", rank=256, micro_batch=1)[0]
    page.browser.click(*page.show(result, row))
    before = result.rows_before(row)
    names = page.ask("[...document.querySelectorAll('#panel h3.before + ul b')].map((name) => name.textContent)")
    assert names == [result.word("name", other) for other in before], names
    x, y = page.point(result, before[0])
    assert result.tasks["rank"][before[0]] == 384, "the cause is on the next stage"
    page.ask("document.getElementById('scroll').scrollTop += 200")
    page.browser.settle()
    x, y = page.point(result, before[0])
    pixels, half = page.browser.pixels(), page.ask("moesim.lanes.heights.stream") / 2
    edge = pixels[round(y - half) - 1][int(x)]
    assert max(edge) < 120, f"the cause has no dark outline: {edge}"
    page.browser.click(*page.button(names[0]))  # the first entry of the panel
    assert page.text("#panel h2") == names[0]
    assert page.ask("moesim.selection.row") != row
    page.browser.press("Escape")
    assert page.text("#panel h2") == "Nothing selected"


def check_filter(page: Page, result: Result) -> None:
    page.ask("moesim.lanes.openAll(false), moesim.view.reset(), 0")
    page.browser.click(*page.button("backward"))
    assert page.passes() == ["FFFF"] * 4, page.passes()
    page.browser.click(*page.button("backward"))
    assert page.passes() == ONE_F_ONE_B, page.passes()


def check_search(page: Page, result: Result) -> None:
    page.browser.press("/")
    page.browser.type("attention mb:3 layer:5")
    expected = [row for row in result.rows(micro_batch=3, layer=5) if "attention" in result.word("name", row)]
    assert len(expected) > 1 and page.text("#hits") == f"{len(expected)} found", page.text("#hits")
    for step, row in enumerate(expected[:2]):
        page.browser.press("Enter")
        assert page.text("#hits") == f"{step + 1} of {len(expected)}"
        assert page.text("#panel h2") == result.word("name", row)
        begin, end = page.domain()
        assert begin <= result.tasks["start"][row] * 1e9 <= end, "the hit is in view"
    page.browser.press("Escape")
    assert page.text("#hits") == ""


def check_lanes(page: Page, result: Result) -> None:
    page.ask("moesim.lanes.openAll(true), moesim.view.reset(), 0")
    page.browser.settle()
    height, streams = page.ask("moesim.lanes.height"), page.ask("document.querySelectorAll('.stream-label').length")
    page.browser.click(*page.button("stage 0"))
    assert page.ask("moesim.lanes.height") < height
    closed = page.ask("document.querySelectorAll('.stream-label').length")
    used = {stream for stream in result.tasks["stream"][result.tasks["rank"] == 0]}
    assert closed == streams - len(used), (closed, streams)
    page.ask("document.getElementById('grouping').focus()")
    page.browser.press("ArrowDown")
    assert page.lane_labels()[1].startswith("▾node 16 bubble"), page.lane_labels()
    assert page.lane_labels()[1].endswith(", rank 128"), page.lane_labels()


def check_series(page: Page, result: Result) -> None:
    totals = sum(column for name, column in result.memory.items() if name not in ("rank", "time"))
    assert page.ask("moesim.memory.choose(256), moesim.memory.most") == totals[result.memory["rank"] == 256].max()
    left, top, width, height = page.ask("(({x, y, width, height}) => [x, y, width, height])"
                                        "(document.getElementById('memory').getBoundingClientRect())")
    column = [row[int(left + width / 2)] for row in page.browser.pixels()[int(top):int(top + height)]]
    assert len(set(column)) >= 4, "weights, gradients, optimizer state and activations have a colour each"


def check_part(page: Page, result: Result) -> None:
    """Eight ranks of a stage that stand for each other, and a fifth of the time."""
    assert page.text("h1") == AWKWARD_NAME and page.ask("document.title") == AWKWARD_NAME
    assert page.domain() == [5e6, 10e6]
    assert [label.split()[1] for label in page.lane_labels()] == list("01234567"), page.lane_labels()
    idle = (result.tasks["start"][result.rows(rank=0, micro_batch=0, phase="backward")].min() - 5e-3) / 5e-3
    bubble = float(page.lane_labels()[0].split("bubble ")[1].split()[0]) / 100
    assert bubble >= idle - 1e-3, f"rank 0 idles until its first backward, {idle}, and the label says {bubble}"
    assert page.text(".group-label").endswith("8 ranks"), page.text(".group-label")
    shown = (result.tasks["rank"] == 0) & (result.tasks["end"] >= 5e-3) & (result.tasks["start"] <= 10e-3)
    assert page.ask("moesim.model.rows.shown") == shown.sum()
    page.browser.click(*page.button("stage 0"))
    assert page.lane_labels() == [] and page.ask("document.querySelector('.group-label').ariaExpanded") == "false"
    assert page.ask("moesim.lanes.bars.map((bar) => bar.kind)") == ["passes"], "a closed group shows its first rank"
    page.browser.press(".")  # opens what hides the task that it selects
    assert len(page.lane_labels()) == 8
    page.browser.click(*page.button("rank 5"))
    x, y = page.button("rank 5")
    page.browser.move(x + 700, y)
    assert "rank 5" in page.text("#tooltip"), f"folded ranks are themselves: {page.text('#tooltip')}"
    first = int(numpy.flatnonzero(shown & (result.tasks["start"] >= 5e-3))[0])
    assert page.text("#panel h2") == result.word("name", first), page.text("#panel h2")


AWKWARD_NAME = "</script><b>\"30B\" & 'more'"
CHECKS = (check_picture, check_zoom, check_detail, check_hover, check_bubble, check_selection, check_filter,
          check_search, check_lanes, check_series)


def main() -> None:
    moesim, scenario = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        file, whole, part = (pathlib.Path(folder, name) for name in ("run.h5", "whole.html", "part.html"))
        for arguments in (["run", scenario, "--set", f"name={json.dumps(AWKWARD_NAME)}", "-o", file],
                          ["gantt", file, "-o", whole],
                          ["gantt", file, "--ranks", "0-7", "--from", "5ms", "--to", "10ms", "-o", part]):
            subprocess.run([moesim, *arguments], check=True, capture_output=True)
        result = Result(file)
        for picture, checks in ((whole, CHECKS), (part, (check_part,))):
            page = Page(browser, picture)
            for check in checks:
                check(page, result)
                print(check.__name__.removeprefix("check_"), "works")
        assert browser.errors == [], browser.errors
        assert browser.requests == [page.resolve().as_uri() for page in (whole, part)], browser.requests


if __name__ == "__main__":
    main()
