"""Pictures of screens as files of a project: small, the same every time, and without addresses of others.

What Textual exports names a web font, and clips every line of text by a path of its own. A picture that lies in a
repository should need neither a network nor a hundred kilobytes.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import ClassVar

from kimi_tui.ui.app import kimi_app
from kimi_tui.ui.app.kimi_app import KimiApp

FONT_FACE = re.compile(r"^\s*@font-face \{.*?\n\s*\}\n", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"^\s*<!--.*?-->\n", re.MULTILINE)
LINE_CLIP = re.compile(r'^\s*<clipPath id="[\w-]+-line-\d+">.*?</clipPath>\n', re.MULTILINE | re.DOTALL)
CLIPPED = re.compile(r' clip-path="url\(#[\w-]+-line-\d+\)"')
LINE_END = re.compile(r'<text class="[\w-]+" x="[\d.]+" y="[\d.]+" textLength="[\d.]+">\n</text>')
NUMBER = re.compile(r"\bterminal-\d+-")


def compact(svg: str) -> str:
    """Take the web font, the paths around lines, the empty ends of lines and the exporter's number out of a picture."""
    for pattern in (FONT_FACE, COMMENT, LINE_CLIP, CLIPPED, LINE_END):
        svg = pattern.sub("", svg)
    lines = NUMBER.sub("terminal-", svg).replace("&#160;", "\xa0").splitlines()
    return "\n".join(line.rstrip(" ") for line in lines if line.strip()) + "\n"


class PicturedApp(KimiApp):
    """The program, whose exported screens are compact."""

    # A name alone is looked for beside the subclass.
    CSS_PATH: ClassVar[list[str | PurePath]] = [Path(kimi_app.__file__).parent / name for name in KimiApp.CSS_PATH]

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """Export the screen as a compact SVG."""
        return compact(super().export_screenshot(title=title, simplify=simplify))
