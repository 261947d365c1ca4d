"""The SVG timeline of the 512-GPU scenario, seen in a browser, shows the passes of 1F1B on four stages.

usage: gantt_picture_test.py MOESIM SCENARIO
"""

import pathlib
import re
import subprocess
import sys
import tempfile

from screenshot import screenshot

FORWARD, BACKWARD = (0, 114, 178), (0, 158, 115)  # Okabe and Ito's blue and bluish green, as the legend says


def runs_of(row: list[tuple[int, int, int]], colour: tuple[int, int, int], at_least: int) -> list[int]:
    """Left ends of the stretches of `colour` in a row of pixels."""
    found, start = [], None
    for x, pixel in enumerate(row + [(-1, -1, -1)]):
        if pixel == colour and start is None:
            start = x
        elif pixel != colour and start is not None:
            if x - start >= at_least:
                found.append(start)
            start = None
    return found


def main() -> None:
    moesim, scenario = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        result, picture = pathlib.Path(folder, "run.h5"), pathlib.Path(folder, "run.svg")
        subprocess.run([moesim, "run", scenario, "-o", result], check=True, capture_output=True)
        subprocess.run([moesim, "gantt", result, "-o", picture], check=True, capture_output=True)
        svg = picture.read_text()
        width, height = (int(float(re.search(rf'<svg[^>]* {name}="([0-9.]+)', svg)[1])) for name in ("width", "height"))
        rows = screenshot(picture, width, height)
    # A line of pixels near the top of a lane crosses its blocks above their numbers. Each lane has a few such lines.
    patterns = []
    for row in rows:
        forward, backward = runs_of(row, FORWARD, 5), runs_of(row, BACKWARD, 5)
        if len(forward) + len(backward) == 8:
            order = "".join(kind for _, kind in sorted([(x, "F") for x in forward] + [(x, "B") for x in backward]))
            if not patterns or patterns[-1] != order:
                patterns.append(order)
    lanes = [order for order in patterns if order.count("F") == 4]
    # Four micro-batches: stage s warms up with 3 - s forwards, then alternates.
    expected = ["FFFFBBBB", "FFFBFBBB", "FFBFBFBB", "FBFBFBFB"]
    assert lanes == expected, f"the lanes show {lanes}, not {expected}"
    print("the picture shows", lanes)


if __name__ == "__main__":
    main()
