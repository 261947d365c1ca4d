"""The picture of experts, seen in a browser, is red where an expert has all tokens of its layer, and shows all ranks.

usage: expert_picture_test.py MOESIM SCENARIO
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import h5py
from screenshot import screenshot

NOTHING, MEAN, MOST = (44, 123, 182), (255, 255, 191), (215, 25, 28)  # as the legend says
LAYER, EXPERT = 5, 40


def picture_of(moesim: str, result: pathlib.Path, picture: pathlib.Path) -> list[list[tuple[int, int, int]]]:
    subprocess.run([moesim, "experts", result, "-o", picture], check=True, capture_output=True)
    svg = picture.read_text()
    width, height = (int(float(re.search(rf'<svg[^>]* {name}="([0-9.]+)', svg)[1])) for name in ("width", "height"))
    return screenshot(picture, width, height)


def extent(rows: list[list[tuple[int, int, int]]], colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of all pixels of a colour; the last two are beyond it."""
    places = [(x, y) for y, row in enumerate(rows) for x, pixel in enumerate(row) if pixel == colour]
    assert places, f"there is no {colour}"
    return (min(x for x, _ in places), min(y for _, y in places), max(x for x, _ in places) + 1,
            max(y for _, y in places) + 1)


def main() -> None:
    moesim, scenario = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        result, picture = pathlib.Path(folder, "run.h5"), pathlib.Path(folder, "run.svg")
        subprocess.run([moesim, "run", scenario, "-o", result], check=True, capture_output=True)
        even = picture_of(moesim, result, picture)
        with h5py.File(result, "r+") as file:
            layers, experts = file["experts/tokens"].shape
            row = file["experts/tokens"][LAYER]
            row[:], row[EXPERT] = 0, row.sum()
            file["experts/tokens"][LAYER] = row
        skewed = picture_of(moesim, result, picture)
    # Even: the heat map is one block of the mean's colour, as wide as the plot; ranks have blocks of it below.
    left, top, right, _ = extent(even, MEAN)
    full = [y for y, line in enumerate(even) if line[left:right].count(MEAN) == right - left]
    assert len(full) % layers == 0 and full[-1] - full[0] + 1 == len(full), "each layer is a row of the heat map"
    height = len(full) // layers
    lanes = sum(MEAN in line[left:right] for line in even[full[-1] + 1:-60])
    assert lanes >= 16 * 5, f"16 ranks have lanes; {lanes} lines of pixels have blocks"
    # Skewed: the layer's row is blue but for one red cell where its expert is.
    line = skewed[top + LAYER * height + height // 2]
    cell = (right - left) / experts
    red = [x for x in range(left, right) if line[x] == MOST]
    assert abs(red[0] - (left + EXPERT * cell)) <= 1 and abs(len(red) - cell) <= 1, f"red from {red[0]} to {red[-1]}"
    assert line[left:right].count(NOTHING) >= right - left - len(red) - 2, "the rest of the layer has nothing"
    above = skewed[top + (LAYER - 1) * height + height // 2]
    assert above[left:right].count(MEAN) == right - left, "other layers are even"
    print(f"expert {EXPERT} of layer {LAYER} is red; {lanes} lines show ranks")


if __name__ == "__main__":
    main()
