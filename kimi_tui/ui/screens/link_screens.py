"""Links before they are opened: which one of several, and then the whole address with the question.

The host stands apart and first, since that is what tells where a link goes; the address is shown to its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from enum import Enum
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from kimi_tui.core.markdown.links import Link
from kimi_tui.core.text.visible import visible_line
from kimi_tui.core.text.web_address import MAX_CHARS, AddressError, WebAddress, web_address
from kimi_tui.ui.keys.key_lookup import character_of
from kimi_tui.ui.screens.above import Dialog
from kimi_tui.ui.widgets.options import Options

LISTED_CHARS = 300
"""Most characters of a link in a list, which shows one line of it."""


class LinkAction(Enum):
    OPEN = "Open it in the browser"
    COPY = "Copy the address"
    LEAVE = "Leave it"


class LinkChoice(Dialog[int]):
    DEFAULT_CSS = """
    LinkChoice > Options, LinkChoice > Options:focus {
        width: 100%; height: auto; max-height: 60%; border: round $primary; background: $surface;
    }
    """

    def __init__(self, links: Sequence[Link]) -> None:
        """Ask for the number of a link, from 1; a number that can mean one only is taken at once."""
        super().__init__()
        self._links = links
        self._typed = 0

    def compose(self) -> ComposeResult:
        size = len(str(len(self._links)))
        options = Options(
            *(Option(Content(f"{number:>{size}}  {_listed(link)}")) for number, link in enumerate(self._links, 1))
        )
        options.border_title = "Which link?"
        options.border_subtitle = "a number or Enter takes one, Escape cancels"
        yield options

    def on_key(self, event: events.Key) -> None:
        char = character_of(event)
        if not char or char not in "0123456789":
            return
        event.stop()
        digit = int(char)
        longer = self._typed * 10 + digit
        number = longer if longer <= len(self._links) else digit
        if not 1 <= number <= len(self._links):
            return
        self._typed = number
        self.query_one(OptionList).highlighted = number - 1
        if number * 10 > len(self._links):
            self.dismiss(number)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_index + 1)


def _listed(link: Link) -> str:
    """The address as it would be opened, where it may be, and what is shown for it."""
    address = link.target[:LISTED_CHARS]
    with suppress(AddressError):
        address = web_address(link.target).text
    is_plain = link.text in {link.target, address}
    return visible_line(address if is_plain else f"{address}  {link.text[:LISTED_CHARS]}")


class _AddressScreen(Dialog[LinkAction]):
    DEFAULT_CSS = """
    _AddressScreen {
        & Static { width: 100%; height: auto; }
        & VerticalScroll { height: auto; max-height: 8; margin: 1 0; scrollbar-size-vertical: 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "scroll('page_up')", priority=True),
        Binding("pagedown", "scroll('page_down')", priority=True),
    ]

    def __init__(self, title: str, notes: Sequence[Content], address: str, actions: Sequence[LinkAction]) -> None:
        """`notes` stand above the address."""
        super().__init__()
        self._title, self._notes, self._address, self._actions = title, notes, address, actions

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = self._title
            yield Static(Content("\n").join(self._notes), markup=False)
            with VerticalScroll(can_focus=False):
                yield Static(Content(self._address), markup=False)
            yield Options(*(Option(Content(action.value)) for action in self._actions))

    def on_mount(self) -> None:
        self.query_one(Options).focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self._say_what_keys_do)

    def _say_what_keys_do(self) -> None:
        """An address that has no room is told, since its end may matter."""
        more = "PgDn shows more, " if self.query_one(VerticalScroll).max_scroll_y else ""
        self.query_one(Vertical).border_subtitle = f"{more}Enter takes it, Escape leaves"

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._actions[event.option_index])


class LinkScreen(_AddressScreen):
    def __init__(self, address: WebAddress) -> None:
        """Ask whether to open an address."""
        super().__init__("Open this link?", list(_host_notes(address)), address.text, list(LinkAction))


class RefusedLinkScreen(_AddressScreen):
    def __init__(self, target: str, error: AddressError) -> None:
        """Say why a link is not opened; its address can be copied as it stands."""
        shown = visible_line(target[:MAX_CHARS]) + ("…" if len(target) > MAX_CHARS else "")
        notes = [Content(f"Not opened, since {error}.")]
        super().__init__("This link is not opened", notes, shown, [LinkAction.COPY, LinkAction.LEAVE])


def _host_notes(address: WebAddress) -> Iterator[Content]:
    yield Content.assemble("Host: ", (address.host, "bold"))
    if address.reads_as:
        mixed = f", in letters of {' and '.join(address.scripts)}" if address.scripts else ""
        words = f"It is written as {address.reads_as}{mixed}; letters of other scripts can look alike."
        yield Content.assemble((words, "$text-warning"))
