"""The page of residuals, opened: it has a mark for each comparison, in the colours of its legend, where its error says.

usage: residual_page_test.py MOESIM
"""

import pathlib
import subprocess
import sys
import tempfile

from browser import Browser

# Bubbles of 3/15 by arithmetic; printed as such, and as if stages were busy half and twice as long as they are.
ENTRY = """- id: {name}
  source: {{title: A paper}}
  system: A100
  config: {{schedule: 1F1B, pipeline_model_parallel_size: 4, num_microbatches: 12, model: {name}}}
  measured: {{bubble_rate_calculated: {bubble}, profiled_T_F_ms: 1, profiled_T_B_ms: 1, profiled_T_W_ms: 1, profiled_T_comm_ms: 0}}
"""


def main() -> None:
    moesim = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        entries = pathlib.Path(folder, "schedules.yaml")
        entries.write_text("".join(ENTRY.format(name=name, bubble=bubble)
                                   for name, bubble in (("right", 0.2), ("half", 0.6), ("quarter", 0.8))))
        page = pathlib.Path(folder, "page.html")
        # The file has models' names, but needs no list of models.
        pathlib.Path(folder, "aliases.yaml").write_text("models: {}\n")
        subprocess.run([moesim, "validate", entries, "-o", page], check=True, capture_output=True)
        browser.open(page)
        browser.settle()
        ask = browser.evaluate

        tops = ask("[...document.querySelectorAll('.residual')].map((mark) => mark.getBoundingClientRect().y)")
        assert len(tops) == 6, f"three comparisons in two panels: {tops}"
        # Predicted once, twice and four times what was measured: equal steps upwards.
        assert abs((tops[0] - tops[1]) - (tops[1] - tops[2])) < 1 and tops[0] > tops[1] + 20, tops
        assert ask("document.querySelectorAll('.residual title').length") == 6, "marks say what they are"
        assert ask("document.documentElement.scrollWidth <= window.innerWidth"), "nothing is wider than the window"

        pixels = [pixel for row in browser.pixels() for pixel in row]
        dark = sum(1 for pixel in pixels if max(pixel) < 110)
        assert dark > 500, f"{dark} dark pixels: the page looks empty"
        band = sum(1 for pixel in pixels if pixel == (0xe8, 0xf2, 0xe8))
        assert band > 5000, f"{band} pixels of the band within 20 %"


if __name__ == "__main__":
    main()
