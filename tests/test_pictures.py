"""The pictures: those that the README shows are there and as the program draws them, and none needs the network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.make_pictures import FOLDER, PICTURES, make
from tests.svg import compact

ROOT = Path(__file__).parents[1]
SVGS = [*FOLDER.glob("*.svg"), *(ROOT / "tests").rglob("__snapshots__/**/*.svg")]


def test_the_readme_shows_the_pictures_that_are_there() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert sorted(shown) == sorted(str(path.relative_to(ROOT)) for path in FOLDER.iterdir())
    assert {Path(path).stem for path in shown} == set(PICTURES)


def test_no_picture_refers_to_an_address() -> None:
    assert len(SVGS) > len(PICTURES)
    for path in SVGS:
        text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"@font-face|<image|@import|href|url\((?!#)", text), path.name


def test_a_compact_picture_keeps_its_text() -> None:
    svg = (
        '<svg>\n    @font-face {\n        src: url("https://fonts.example/x");\n    }\n'
        '<clipPath id="terminal-12-line-0">\n    <rect x="0"/>\n            </clipPath>\n'
        '<text class="terminal-12-r1" x="0" y="20" textLength="24.4" clip-path="url(#terminal-12-line-0)">a&#160;b</text>'
        '<text class="terminal-12-r1" x="24" y="20" textLength="12.2" clip-path="url(#terminal-12-line-0)">\n</text>\n</svg>'
    )
    assert compact(svg) == '<svg>\n<text class="terminal-r1" x="0" y="20" textLength="24.4">a\xa0b</text>\n</svg>\n'


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_what_the_program_shows(name: str) -> None:
    """Where this fails and the change is meant: `python -m tests.make_pictures`, and look at them."""
    assert make(PICTURES[name]) == (FOLDER / f"{name}.svg").read_text("utf-8")
