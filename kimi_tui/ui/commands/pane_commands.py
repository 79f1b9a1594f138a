"""The side panes: opened, closed, arranged by the terminal's size, and told what changed.

A pane's widget is made when it is first opened, since the first frame needs none; one that is not in view is told
nothing, and is brought up to date when it comes into view.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual.widget import Widget

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.session import Role
from kimi_tui.core.settings.actions import Scope
from kimi_tui.core.settings.layers import Key
from kimi_tui.core.settings.settings import PANE_WIDTH_ENDS
from kimi_tui.core.wire.turn_events import ReplyDelta
from kimi_tui.ui.panes.desk import Desk
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.state.arrangement import Arrangement, arrange, toggled
from kimi_tui.ui.transcript.transcript_widget import Transcript

if TYPE_CHECKING:
    from kimi_tui.ui.panes.prompt_feed import PromptPanel
    from kimi_tui.ui.panes.reasoning_feed import ReasoningPanel
    from kimi_tui.ui.panes.sessions_feed import SessionsPanel
    from kimi_tui.ui.panes.settings_feed import SettingsPanel

WIDTH_STEP = 4
"""How much wider or narrower a pane gets at a time, in cells."""
SAVE_DELAY_S = 0.5
"""Time after the last change of a width until it is remembered, in seconds."""


class PaneCommands:
    """Opens and closes panes."""

    def __init__(self, desk: Desk) -> None:
        """Work on that screen; no pane is open."""
        self._desk = desk
        self._opened: tuple[str, ...] = ()
        self._arrangement = Arrangement()
        self._keyed = ""
        self._widths: dict[str, int] = {}
        self._panels: dict[str, Panel] = {}
        self._saves = 0
        self.is_giving_keys = False
        """Whether a pane that was opened is about to take the focus."""

    def begin(self, opened: Sequence[str]) -> None:
        """Open the panes that the settings name; the composer keeps the focus."""
        self._widths = dict(self._desk.services.settings.ui.widths)
        self._opened = tuple(opened)
        self.arrange()

    # -- opening and closing

    def do_sessions(self, argument: str) -> None:
        """Show or hide the sessions."""
        del argument
        self._toggle("sessions")

    def do_reasoning(self, argument: str) -> None:
        """Show or hide the reasoning."""
        del argument
        self._toggle("reasoning")

    def do_settings(self, argument: str) -> None:
        """Show or hide the settings."""
        del argument
        self._toggle("settings")

    def do_prompt(self, argument: str) -> None:
        """Show or hide the exact input of the next turn."""
        del argument
        self._toggle("prompt")

    def _toggle(self, name: str) -> None:
        """Show a pane and give it the focus; one that is in view is hidden, and the composer gets the focus."""
        in_view = self._arrangement.panes
        self._opened = toggled(self._opened, name, in_view)
        self._keyed = "" if name in in_view else name
        self.arrange()
        if self._keyed:
            if name in self._arrangement.panes:
                self._panels[name].come_into_view()
            self._focus(name)
        else:
            self._desk.type_here()

    def show(self, name: str) -> None:
        """Bring a pane to view and give it the focus."""
        if name not in self._arrangement.panes:
            self._toggle(name)
        else:
            self._focus(name)

    def _focus(self, name: str) -> None:
        """Give the keys to a pane; one for which the terminal has no room gets them when it comes into view."""
        self._keyed = name
        self.is_giving_keys = name in self._arrangement.panes
        if self.is_giving_keys:
            panel = self._panels[name]
            panel.call_after_refresh(self._give_keys, panel)

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
            self.arrange()

    def give_keys_back(self) -> bool:
        """Give the keys to the pane that has lost them out of view, now that it is in view; whether there is one."""
        if not self.is_giving_keys and self._keyed in self._arrangement.panes:
            self._focus(self._keyed)
        return self.is_giving_keys

    def _give_keys(self, panel: Panel) -> None:
        if self.is_giving_keys:
            panel.take_focus()
        self.is_giving_keys = False

    def close_overlay(self) -> bool:
        """Close a pane that covers the conversation; whether one did."""
        overlay = self._arrangement.overlay
        if not overlay:
            return False
        self._toggle(overlay)
        return True

    def arrange(self) -> None:
        """Put every pane where the terminal's size has room for it."""
        size = self._desk.size
        self._arrangement = found = arrange(size.width, size.height, self._opened, self._widths, self._keyed)
        for name in found.panes:
            self._mount(name)
        is_left = found.overlay == "sessions"
        left, right = self._desk.side_of("sessions"), self._desk.side_of("prompt")
        left.show(found.overlay if is_left else found.left, None if is_left else found.left_columns)
        is_right = bool(found.overlay) and not is_left
        right.show(found.overlay if is_right else found.right, None if is_right else found.right_columns)
        self._desk.show_arrangement(found)
        for name in found.panes:
            self._refresh(name)

    # -- widths

    def do_wider(self, argument: str) -> None:
        """Make the pane that was used last wider."""
        del argument
        self._change_width(WIDTH_STEP)

    def do_narrower(self, argument: str) -> None:
        """Make the pane that was used last narrower."""
        del argument
        self._change_width(-WIDTH_STEP)

    def _change_width(self, step: int) -> None:
        docked = [name for name in self._opened if name in (self._arrangement.left, self._arrangement.right)]
        if not docked:
            self._desk.remark("There is no side pane to resize; open one first.", "There is no side pane to resize.")
            return
        scope = self._desk.scope_of_focus()
        focused = next((name for name in docked if scope is Scope[name.upper()]), docked[-1])
        shown = self._arrangement.left_columns if focused == self._arrangement.left else self._arrangement.right_columns
        self.set_width(focused, shown + step)

    def set_width(self, name: str, columns: int) -> None:
        """Give a pane another width, and remember it when it stays."""
        low, high = PANE_WIDTH_ENDS
        self._widths[name] = min(max(columns, low), high)
        self.arrange()
        found = self._arrangement
        self._widths[name] = found.left_columns if name == found.left else found.right_columns or self._widths[name]
        self._saves += 1
        self._desk.run_later(self._remember(self._saves))

    async def _remember(self, number: int) -> None:
        await asyncio.sleep(SAVE_DELAY_S)
        if number == self._saves:
            before = self._desk.services.settings.ui.widths
            changed: dict[Key, object | None] = {
                ("ui", "widths", n): width for n, width in self._widths.items() if width != before[n]
            }
            if changed:
                await self._desk.services.store.save(changed)

    # -- the panes themselves

    def _mount(self, name: str) -> None:
        if name not in self._panels:
            self._panels[name] = _make(name, self._desk)
            self._desk.side_of(name).mount_pane(self._panels[name])

    def _refresh(self, name: str) -> None:
        """Bring a pane up to date, where it is in view."""
        if name in self._arrangement.panes:
            panel = self._panels[name]
            panel.call_after_refresh(panel.refresh_pane)

    def _reasoning(self) -> ReasoningPanel | None:
        """The reasoning pane; None = it is not in view."""
        panel = self._panels.get("reasoning") if "reasoning" in self._arrangement.panes else None
        return cast("ReasoningPanel | None", panel)

    def _prompt(self) -> PromptPanel | None:
        """The prompt pane; None = it is not in view."""
        panel = self._panels.get("prompt") if "prompt" in self._arrangement.panes else None
        return cast("PromptPanel | None", panel)

    # -- what happened

    def session_changed(self) -> None:
        """The session on screen, its messages or its settings are others now."""
        for name in ("reasoning", "settings", "prompt"):
            self._refresh(name)

    def sessions_changed(self) -> None:
        """Another session is on screen, or a reply began or ended somewhere."""
        self._refresh("sessions")

    def delta_arrived(self, delta: ReplyDelta) -> None:
        """Text of the reply on screen arrived."""
        if (panel := self._reasoning()) is not None:
            panel.add(delta)

    def label_changed(self) -> None:
        """The figures of the running reply are others now."""
        if (panel := self._reasoning()) is not None:
            panel.show_label()

    def target_changed(self) -> None:
        """Another message is chosen."""
        self._refresh("reasoning")

    def draft_changed(self) -> None:
        """What is being typed is something else now."""
        if (panel := self._prompt()) is not None:
            panel.refresh_soon()

    def searchable(self) -> Transcript | None:
        """The lines of the pane with the focus; None = they are not to be searched."""
        panel = self._reasoning()
        return panel.lines if panel is not None and self._desk.scope_of_focus() is Scope.REASONING else None

    # -- what messages ask of panes

    def do_show_reasoning(self, argument: str) -> None:
        """Show the reasoning of the chosen message in its pane."""
        del argument
        chosen = self._desk.transcript.chosen
        self.show("reasoning")
        self._desk.transcript.choose(chosen)
        self._refresh("reasoning")

    def do_show_request(self, argument: str) -> None:
        """Show the exact input that a reply answered.

        Raises:
            UsageError: The message is no reply.
        """
        del argument
        message = self._desk.target()
        if message is None or message.role is not Role.ASSISTANT:
            raise UsageError("Only a reply has a request.")
        self.show("prompt")
        if (panel := self._prompt()) is not None:
            panel.call_after_refresh(panel.show_past, message.id)

    def do_copy_prompt(self, argument: str) -> None:
        """Copy the exact input as text."""
        del argument
        self._copy("text")

    def do_copy_body(self, argument: str) -> None:
        """Copy the request's body."""
        del argument
        self._copy("json")

    def do_copy_curl(self, argument: str) -> None:
        """Copy the request as a curl command."""
        del argument
        self._copy("curl")

    def _copy(self, form: str) -> None:
        from kimi_tui.ui.panes.prompt_feed import PromptPanel  # noqa: PLC0415 - the first frame does not need it

        panel = self._prompt() or PromptPanel(self._desk)
        panel.copy_as(form, panel.view)

    # -- what is done where a pane's own cursor stands; a pane that is not in view is shown first, and waits

    def do_filter_sessions(self, argument: str) -> None:
        """Let a filter for the sessions be typed."""
        del argument
        self.show("sessions")
        if "sessions" in self._arrangement.panes:
            panel = cast("SessionsPanel", self._panels["sessions"])
            panel.call_after_refresh(panel.do_filter_sessions)

    def do_open_session(self, argument: str) -> None:
        """Open the session under the cursor."""
        del argument
        if self._was_in_view("sessions"):
            cast("SessionsPanel", self._panels["sessions"]).do_open_session()

    def do_rename_session(self, argument: str) -> None:
        """Let the title under the cursor be edited."""
        del argument
        if self._was_in_view("sessions"):
            cast("SessionsPanel", self._panels["sessions"]).do_rename_session()

    def do_reset_field(self, argument: str) -> None:
        """Take back what the session sets for the field under the cursor."""
        del argument
        if self._was_in_view("settings"):
            cast("SettingsPanel", self._panels["settings"]).do_reset_field()

    def do_unset_field(self, argument: str) -> None:
        """Leave the field under the cursor out of the request."""
        del argument
        if self._was_in_view("settings"):
            cast("SettingsPanel", self._panels["settings"]).do_unset_field()

    def _was_in_view(self, name: str) -> bool:
        was = name in self._arrangement.panes
        self.show(name)
        return was


def _make(name: str, desk: Desk) -> Panel:
    """Make the widget of a pane; each is imported when it is first needed."""
    match name:
        case "sessions":
            from kimi_tui.ui.panes.sessions_feed import SessionsPanel  # noqa: PLC0415

            return SessionsPanel(desk)
        case "reasoning":
            from kimi_tui.ui.panes.reasoning_feed import ReasoningPanel  # noqa: PLC0415

            return ReasoningPanel(desk)
        case "settings":
            from kimi_tui.ui.panes.settings_feed import SettingsPanel  # noqa: PLC0415

            return SettingsPanel(desk)
        case _:
            from kimi_tui.ui.panes.prompt_feed import PromptPanel  # noqa: PLC0415

            return PromptPanel(desk)
