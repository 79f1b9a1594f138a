"""An editor for an exact input of any size: control tokens are marked while they are typed.

What a token is made harmless with, a word joiner, takes a cell here, so that it can be seen and deleted.
"""

from __future__ import annotations

from rich.style import Style
from rich.text import Text
from textual import events

from kimi_tui.core.prompt.control_tokens import JOINER
from kimi_tui.core.prompt.template import Template
from kimi_tui.ui.terminal.terminal_input import CONTROLS
from kimi_tui.ui.text.role_styles import Styles
from kimi_tui.ui.widgets.editing import EditArea
from kimi_tui.ui.widgets.placeholders import LINE_ENDS, Placeholders

CONTROL_CHARS = "".join(char for char in map(chr, range(0xA0)) if CONTROLS.match(char))
HELD = LINE_ENDS + JOINER + CONTROL_CHARS
"""What has a placeholder while it is edited."""
PRIVATE_USE = range(0x10F700, 0x100000, -len(HELD))
"""Where placeholders may begin: the first place of which the text has none is taken."""
DRAWN = {JOINER: "·", "\x7f": "␡"} | {char: chr(0x2400 + ord(char)) for char in HELD if char < " "}
"""How the most usual of them are drawn, in one cell; the others as a box."""
BOX = "▯"
REACH_CHARS = 64
"""How much of a long line beside a row is looked at, for a token that is cut by its edge."""


class RawArea(EditArea):
    DEFAULT_CSS = """
    RawArea, RawArea:focus { height: 1fr; border: none; padding: 0 1; background: $background; }
    """

    def __init__(self, text: str, template: Template, *, id: str | None = None) -> None:
        self._markers = template.markers
        free = (base for base in PRIVATE_USE if not any(chr(base + place) in text for place in range(len(HELD))))
        self.placeholders = Placeholders(LINE_ENDS + JOINER, CONTROL_CHARS, next(free, PRIVATE_USE[0]))
        self._drawn = {ord(placeholder): DRAWN.get(char, BOX) for char, placeholder in self.placeholders.pairs}
        self._styles: Styles | None = None
        super().__init__("", id=id, soft_wrap=True, tab_behavior="focus", highlight_cursor_line=False)
        self._set_document(self.held(text), None)  # the library would wrap it in its own way first

    async def on_key(self, event: events.Key) -> None:
        """Tab types one: there is nothing else here that it could lead to."""
        if event.key == "tab":
            event.stop()
            event.prevent_default()
            self.type_text("\t")

    # -- the text, exactly

    def pasted(self, text: str, exact: str) -> tuple[str, str]:
        """Where a line end came as LF, the terminal has changed none; else it sends each as CR."""
        if "\n" in exact or "\r" not in exact:
            return exact, ""
        return exact.replace("\r", "\n"), "The line ends of the paste came as CR and stand here as LF."

    # -- drawing

    def notify_style_update(self) -> None:
        self._styles = None
        super().notify_style_update()

    def get_line(self, line_index: int) -> Text:
        line = self.document.get_line(line_index)
        return self._marked(line, 0, len(line), line)

    def row_text(self, line: int, start: int, end: int) -> Text:
        text = self.document[line]
        first, last = max(start - REACH_CHARS, 0), end + REACH_CHARS
        return self._marked(text[start:end], start - first, end - first, text[first:last])

    def _marked(self, row: str, start: int, end: int, around: str) -> Text:
        """Mark the tokens of a row; it is `around[start:end]`, and a token may reach beyond it."""
        text = Text(row if row.isascii() else row.translate(self._drawn), end="", no_wrap=True)
        joined = around if around.isascii() else self.exact(around)  # character by character
        behind, is_second = -1, False
        for first, last in self._markers.spans(joined):
            is_second, behind = first == behind and not is_second, last
            if first < end and last > start:
                style = self._style(is_harmless=JOINER in joined[first:last], is_second=is_second)
                text.stylize(style, max(first - start, 0), min(last, end) - start)
        return text

    def _style(self, *, is_harmless: bool, is_second: bool) -> Style:
        """Of those that follow one another at once every second one looks different: one sees where each ends."""
        styles = self._styles = self._styles or Styles(self.app.theme_variables, self.visual_style.rich_style)
        if is_harmless:
            return styles.role("warning-text") + Style(underline=True, bold=is_second)
        return Style(color=styles.base.bgcolor, bgcolor=styles.role("marker").color, underline=is_second)
