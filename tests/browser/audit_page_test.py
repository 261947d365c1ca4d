"""The page of an audit, used as people use it; what it says is compared with `moesim audit --json`.

usage: audit_page_test.py MOESIM SCENARIO
"""

import json
import pathlib
import subprocess
import sys
import tempfile

from browser import Browser


def main() -> None:
    moesim, scenario = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder, Browser() as browser:
        page = pathlib.Path(folder, "page.html")
        answer = subprocess.run([moesim, "audit", scenario, "--json", "-o", page], check=True, capture_output=True)
        claims = json.loads(answer.stdout)["claims"]
        browser.open(page)
        browser.wait_for("document.body && document.body.dataset.ready === 'yes'")
        ask = browser.evaluate

        # Every claim is there, in order, with its words, its verdict and the sum behind it.
        shown = ask("[...document.querySelectorAll('article')].map((article) => [article.className,"
                    "article.querySelector('code').textContent, article.querySelector('blockquote').textContent,"
                    "article.querySelector('p').textContent])")
        assert shown == [[claim["verdict"], claim["id"], claim["quote"], claim["because"]] for claim in claims], shown

        def visible() -> list[str]:
            return ask("[...document.querySelectorAll('article')].filter((article) => article.offsetHeight > 40)"
                       ".map((article) => article.querySelector('code').textContent)")

        assert visible() == [claim["id"] for claim in claims], visible()
        assert ask("document.documentElement.scrollWidth <= window.innerWidth"), "nothing is wider than the window"

        # What is seen is ink on paper: text in many places, and the mark of a verdict in its own colour.
        pixels = [pixel for row in browser.pixels() for pixel in row]
        dark = sum(1 for pixel in pixels if max(pixel) < 110)
        assert dark > 3000, f"{dark} dark pixels: the page looks empty"
        first = next(at for at, claim in enumerate(claims) if claim["verdict"] == "self-contradiction")
        ask(f"document.querySelectorAll('article')[{first}].scrollIntoView()")
        browser.settle()
        assert (179, 71, 0) in {pixel for row in browser.pixels() for pixel in row}, "no mark of a self-contradiction"

        # A verdict's button hides its claims, and shows them again.
        ask("window.scrollTo(0, 0)")
        place = ("(() => { const box = document.querySelector('#verdicts .self-contradiction').getBoundingClientRect();"
                 "return [box.x + box.width / 2, box.y + box.height / 2]; })()")
        browser.click(*ask(place))
        others = [claim["id"] for claim in claims if claim["verdict"] != "self-contradiction"]
        assert visible() == others, visible()
        browser.click(*ask(place))
        assert len(visible()) == len(claims), visible()

        # The mark of a claim of 512 GPUs where the degrees make 2048 is left of the middle, at a quarter.
        label = ask("[...document.querySelectorAll('article')].find((article) =>"
                    "article.querySelector('code').textContent === 'gpus_of_degrees').querySelector('svg').ariaLabel")
        assert label == "the claim is 0.25 times the figure behind the verdict", label

        assert browser.errors == [], browser.errors
        assert browser.requests == [page.resolve().as_uri()], browser.requests
        print("the page of an audit does what it says")


if __name__ == "__main__":
    main()
