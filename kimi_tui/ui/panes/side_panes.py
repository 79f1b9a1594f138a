"""The middle of the screen: the conversation, and side panes that are opened, closed and arranged around it.

A pane's widget is made when it is first opened, since the first frame needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from kimi_tui.core.errors import ConfigError
from kimi_tui.core.ports import SettingsStore
from kimi_tui.core.settings.layers import Key
from kimi_tui.core.settings.settings import PANE_WIDTH_ENDS
from kimi_tui.ui.keys.focus import scope_of
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.state.arrangement import LEFT, Arrangement, arrange, toggled
from kimi_tui.ui.state.callbacks import RunLater
from kimi_tui.ui.widgets.side import Side

if TYPE_CHECKING:  # the name of a type only: the first frame needs no turn
    from kimi_tui.core.wire.turn_events import ReplyDelta

SAVE_DELAY_S = 0.5
"""How long a new width may wait until it is saved, in seconds."""


class SidePanes(Horizontal):
    def __init__(
        self,
        conversation: Widget,
        tabs: Sequence[tuple[str, str]],
        *,
        make: Callable[[str], Panel],
        arranged: Callable[[Arrangement], None],
        store: SettingsStore,
        run_later: RunLater,
    ) -> None:
        """`tabs` are the panes' names, each with its key; `make` makes the widget of a pane by its name.

        `arranged` gives the conversation the room that the panes leave; `store` remembers widths.
        """
        super().__init__(id="middle")
        self._left = Side([tab for tab in tabs if tab[0] == LEFT], is_left=True, id="left-side")
        self._right = Side([tab for tab in tabs if tab[0] != LEFT], is_left=False, id="right-side")
        self._conversation, self._make, self._arranged = conversation, make, arranged
        self._settings, self._run_later = store, run_later
        self._opened: tuple[str, ...] = ()
        self._arrangement = Arrangement()
        self._keyed = ""
        self._widths: dict[str, int] = {}
        self._panels: dict[str, Panel] = {}
        self._is_due = False  # whether widths are about to be remembered
        self.is_giving_keys = False
        """Whether a pane that was opened is about to take the focus."""

    def compose(self) -> ComposeResult:
        yield self._left
        yield self._conversation
        yield self._right

    def begin(self) -> None:
        """The composer keeps the focus."""
        ui = self._settings.value.ui
        self._widths, self._opened = dict(ui.widths), tuple(ui.panes)
        self.fit()

    # -- opening and closing

    def toggle(self, name: str) -> bool:
        """Show a pane and give it the focus, or hide one that is in view; whether the keys go to a pane then."""
        in_view = self._arrangement.panes
        self._opened = toggled(self._opened, name, in_view)
        self._keyed = "" if name in in_view else name
        self.fit()
        if self._keyed:
            if name in self._arrangement.panes:
                self._panels[name].come_into_view()
            self._focus(name)
        return bool(self._keyed)

    def show_pane(self, name: str) -> None:
        if name not in self._arrangement.panes:
            self.toggle(name)
        else:
            self._focus(name)

    def in_view(self, name: str) -> Panel | None:
        """None = the pane is not in view."""
        return self._panels[name] if name in self._arrangement.panes else None

    def close_overlay(self) -> bool:
        """Close a pane that covers the conversation; whether one did. Nobody has the keys then."""
        overlay = self._arrangement.overlay
        if overlay:
            self.toggle(overlay)
        return bool(overlay)

    # -- the keys

    def _focus(self, name: str) -> None:
        """A pane for which the terminal has no room gets the keys when it comes into view."""
        self._keyed = name
        panel = self.in_view(name)
        self.is_giving_keys = panel is not None
        if panel is not None:
            panel.call_after_refresh(self._give_keys, panel)

    def _give_keys(self, panel: Panel) -> None:
        if self.is_giving_keys:
            panel.take_focus()
        self.is_giving_keys = False

    def keep_keys(self) -> None:
        """Give the keys to no pane: they were asked for in the conversation since; none covers it then."""
        self.is_giving_keys = False
        self._follow("")

    def follow_keys(self, widget: Widget) -> None:
        """Let what has got the keys be in view: its pane, or the conversation that a pane covers."""
        if not self.is_giving_keys:
            around = widget.ancestors_with_self
            self._follow(next((name for name, panel in self._panels.items() if panel in around), ""))

    def _follow(self, name: str) -> None:
        self._keyed = name
        found = self._arrangement
        if found.overlay not in {"", name} or (name and name not in found.panes):
            self.fit()

    def give_keys_back(self) -> bool:
        """Give the keys to the pane that has lost them out of view, now that it is in view; whether there is one."""
        if not self.is_giving_keys and self._keyed in self._arrangement.panes:
            self._focus(self._keyed)
        return self.is_giving_keys

    # -- room

    def fit(self) -> None:
        size = self.screen.size
        self._arrangement = found = arrange(size.width, size.height, self._opened, self._widths, self._keyed)
        for name in found.panes:
            if name not in self._panels:
                self._panels[name] = self._make(name)
                (self._left if name == LEFT else self._right).mount_pane(self._panels[name])
        is_left, is_right = found.overlay == LEFT, found.overlay not in {"", LEFT}
        left, right = found.overlay if is_left else found.left, found.overlay if is_right else found.right
        self._left.show(left, self._panels.get(left), None if is_left else found.left_columns)
        self._right.show(right, self._panels.get(right), None if is_right else found.right_columns)
        self._arranged(found)
        self.bring_up_to_date(*found.panes)

    def widen(self, columns: int) -> bool:
        """Make the pane with the keys, else the one opened last, so much wider; False = none stands at a side."""
        docked = [name for name in self._opened if name in (self._arrangement.left, self._arrangement.right)]
        if docked:
            scope = scope_of(self.screen.focused)
            name = next((name for name in docked if scope == self._panels[name].scope), docked[-1])
            is_left = name == self._arrangement.left
            shown = self._arrangement.left_columns if is_left else self._arrangement.right_columns
            self._set_width(name, shown + columns)
        return bool(docked)

    @on(Side.PaneClicked)
    def _clicked(self, event: Side.PaneClicked) -> None:
        event.stop()
        self.show_pane(event.pane)

    @on(Side.Dragged)
    def _dragged(self, event: Side.Dragged) -> None:
        event.stop()
        self._set_width(event.pane, event.columns)

    def _set_width(self, name: str, columns: int) -> None:
        """The width is remembered a little later: one that is dragged changes often."""
        low, high = PANE_WIDTH_ENDS
        wish, before = self._widths[name], self._arrangement
        self._widths[name] = min(max(columns, low), high)
        self.fit()
        found = self._arrangement
        if found == before:  # there is no more room here: what was wished for holds in a larger window
            self._widths[name] = wish
            return
        self._widths[name] = found.left_columns if name == found.left else found.right_columns or self._widths[name]
        if not self._is_due:
            self._is_due = True
            self.set_timer(SAVE_DELAY_S, lambda: self._run_later(self._remember(), keys_wait=False))

    async def _remember(self) -> None:
        self._is_due = False
        before = self._settings.value.ui.widths
        changed: dict[Key, object | None] = {
            ("ui", "widths", name): width for name, width in self._widths.items() if width != before[name]
        }
        if changed:
            await self._settings.save(changed)

    async def on_unmount(self) -> None:
        if self._is_due:
            with suppress(ConfigError):  # there is no screen left that could tell
                await self._remember()

    # -- what is shown

    def show_hints(self, text: str) -> None:
        """Shown at the foot of a pane that covers the composer; otherwise the composer shows them."""
        self._left.show_hints(text)
        self._right.show_hints(text)

    def bring_up_to_date(self, *names: str) -> None:
        """Only those that are in view."""
        for panel in filter(None, map(self.in_view, names)):
            panel.call_after_refresh(panel.refresh_pane)

    def session_changed(self) -> None:
        self.bring_up_to_date("reasoning", "settings", "prompt")

    def delta_arrived(self, delta: ReplyDelta) -> None:
        for panel in self._shown():
            panel.delta_arrived(delta)

    def label_changed(self) -> None:
        for panel in self._shown():
            panel.label_changed()

    def draft_changed(self) -> None:
        for panel in self._shown():
            panel.draft_changed()

    def _shown(self) -> Iterator[Panel]:
        return (self._panels[name] for name in self._arrangement.panes)
