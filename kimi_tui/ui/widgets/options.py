"""What the library's list of options lacks: keys and clicks while its lines are not those of its options."""

from __future__ import annotations

from textual import events
from textual.widgets import OptionList


class Options(OptionList):
    """Lines are made when the list has got its place on screen: options are there earlier, and stay without room.

    A click comes with the option that was drawn under it, which may be gone.
    """

    DEFAULT_CSS = """
    Options { text-wrap: nowrap; text-overflow: ellipsis; }
    """

    @property
    def _has_lines(self) -> bool:
        return bool(self.scrollable_content_region) and self.virtual_size.height > 0

    def action_page_up(self) -> None:
        if self._has_lines:
            super().action_page_up()  # type: ignore[no-untyped-call]

    def action_page_down(self) -> None:
        if self._has_lines:
            super().action_page_down()  # type: ignore[no-untyped-call]

    def on_click(self, event: events.Click) -> None:
        if event.style.meta.get("option", 0) >= self.option_count:
            event.prevent_default()
