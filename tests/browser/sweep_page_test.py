"""The page of a sweep, used as people use it; what it says is compared with sweep.csv.

usage: sweep_page_test.py MOESIM SCENARIO
"""

import csv
import pathlib
import subprocess
import sys
import tempfile

from browser import Browser

SWEEP = """version: 1
name: page
base: {}
axes:
  training.global_batch_size: [64, 100, 128, 256]
  training.schedule: [1f1b, gpipe]
"""


def main() -> None:
    moesim, scenario = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        file, out, page = (pathlib.Path(folder, name) for name in ("sweep.yaml", "out", "page.html"))
        file.write_text(SWEEP.format(scenario))
        for arguments in (["sweep", file, "-o", out], ["sweep-report", out, "-o", page]):
            subprocess.run([moesim, *arguments], check=True, capture_output=True)
        points = list(csv.DictReader((out / "sweep.csv").open()))
        browser.open(page)
        browser.wait_for("document.body && document.body.dataset.ready === 'yes'")
        ask = browser.evaluate

        def click(selector: str) -> None:
            browser.click(*ask(f"(() => {{ const mark = document.querySelector({selector!r}); mark.scrollIntoView({{block: 'center'}});"
                               "const box = mark.getBoundingClientRect();"
                               "return [box.x + box.width / 2, box.y + box.height / 2]; })()"))

        def rows() -> list[list[str]]:
            return ask("[...document.querySelectorAll('#points tbody tr')].map((row) =>"
                       "[...row.cells].map((cell) => cell.textContent))")

        heads = ask("[...document.querySelectorAll('#points th')].map((head) => head.textContent)")
        assert heads == list(points[0]), heads
        assert [row[0] for row in rows()] == [point["point"] for point in points]
        assert [row[heads.index("reason")] for row in rows()] == [point["reason"] for point in points]

        # Sorted by throughput: ascending at the first click, descending at the second, invalid points last.
        at = heads.index("tokens_per_s") + 1
        for _ in range(2):
            click(f"#points th:nth-child({at}) button")
        done = [point for point in points if point["status"] == "done"]
        fastest = sorted(done, key=lambda point: -float(point["tokens_per_s"]))
        assert [row[0] for row in rows()][:6] == [point["point"] for point in fastest], rows()

        click("#search")
        browser.type("gpipe invalid")
        assert [row[0] for row in rows()] == ["3"], rows()
        assert ask("document.getElementById('count').textContent") == "1 of 8 points"
        ask("(() => { const search = document.getElementById('search'); search.value = '';"
            "search.dispatchEvent(new Event('input')); return 0; })()")

        # One picture at a time; a click on the best point's cell says what it is.
        def visible() -> list[str]:
            return ask("[...document.querySelectorAll('#pictures > div')].filter((picture) => picture.offsetHeight > 0)"
                       ".map((picture) => picture.dataset.figure)")

        assert visible() == ["tokens_per_s"], visible()
        best = fastest[0]
        click(f"[data-figure=tokens_per_s] .cell[data-point='{best['point']}']")
        said = ask("document.getElementById('point').textContent")
        assert said.startswith(f"point {best['point']}: ") and f"training.schedule {best['training.schedule']}" in said, said
        assert ask("document.querySelector('tr.chosen').cells[0].textContent") == best["point"]
        ask("(() => { const choice = document.getElementById('figure'); choice.value = 'bubble_fraction';"
            "choice.dispatchEvent(new Event('change')); return 0; })()")
        assert visible() == ["bubble_fraction"], visible()

        assert browser.errors == [], browser.errors
        assert browser.requests == [page.resolve().as_uri()], browser.requests
        print("the page of a sweep does what it says")


if __name__ == "__main__":
    main()
