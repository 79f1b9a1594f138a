"""What the first frame does not need: the commands, made with the first of them, and the side panes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from textual.screen import Screen

from kimi_tui.ui.app.screen_parts import ScreenParts
from kimi_tui.ui.commands.batch_commands import BatchCommands
from kimi_tui.ui.commands.compare_command import CompareCommand
from kimi_tui.ui.commands.copy_commands import CopyCommands
from kimi_tui.ui.commands.dispatcher import Done, Rows
from kimi_tui.ui.commands.leaving import SAVING, Leaving
from kimi_tui.ui.commands.outside_watch import OutsideWatch
from kimi_tui.ui.commands.pane_commands import PaneCommands
from kimi_tui.ui.commands.preset_commands import PresetCommands
from kimi_tui.ui.commands.prompt_history import PromptHistory
from kimi_tui.ui.commands.raw_command import RawCommand, edit_outside
from kimi_tui.ui.commands.reply_commands import ReplyCommands
from kimi_tui.ui.commands.save_retry import SaveRetry
from kimi_tui.ui.commands.screen_commands import ScreenCommands
from kimi_tui.ui.commands.sending import Sending
from kimi_tui.ui.commands.session_commands import SessionCommands
from kimi_tui.ui.commands.setting_commands import SettingCommands
from kimi_tui.ui.commands.target import Target
from kimi_tui.ui.commands.theme_command import ThemeCommand
from kimi_tui.ui.commands.trace_commands import TraceCommands
from kimi_tui.ui.commands.tree_commands import TreeCommands
from kimi_tui.ui.commands.view_commands import ViewCommands
from kimi_tui.ui.keys.focus import has_keys
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.panes.prompt_source import PromptSource
from kimi_tui.ui.state.callbacks import Result
from kimi_tui.ui.state.form_checks import FormChecks
from kimi_tui.ui.state.running_turns import Turns


class LateParts:
    """The second half of the composition: it hands the parts of the screen to what needs them."""

    def __init__(self, parts: ScreenParts) -> None:
        self._parts = parts
        services, chats, label = parts.services, parts.chats, parts.keymap.label
        store, clock = services.settings_store, services.clock
        drafts, transcript, redraw, view = parts.drafts, parts.transcript, parts.redraw, parts.turn_display
        change, switching = parts.current.change, parts.current.switching
        say, remark, run_later = parts.feed.say, parts.bars.remark, parts.background.later
        push = parts.app.push_screen
        if services.recorder is not None:
            services.recorder().tell = lambda words: say(words, "warning")
        checks = FormChecks(services.check_form, label, view, parts.run_turn)
        self._target = target = Target(chats, transcript.cursor)
        self.turns = turns = Turns(
            store, services.engine, clock, view, parts.run_turn, label=label, checks=checks,
            key_problem=services.key_problem, recorded_plan=services.first_turn and services.first_turn.plan,
        )  # fmt: skip
        self.history = PromptHistory(
            parts.composer, drafts, chats, recent=services.session_store.recent_prompts, show_queue=redraw.queue,
            run_later=run_later,
        )  # fmt: skip
        self.copying = CopyCommands(
            target, transcript, services.link_opener, copy=parts.copy, run_later=run_later, choose=self._choose,
            push=push, say=say, remark=remark,
        )  # fmt: skip
        self._replies = ReplyCommands(
            target, transcript, turns, drafts, change=change, changed=redraw.session, type_here=parts.type_here,
            type_again=self._type_again, say=say, now=clock.now, label=label,
        )  # fmt: skip
        self._sessions = SessionCommands(
            services.session_store, chats, parts.current, redraw.listed, say, restore_key=label("restore-session")
        )
        self._presets = PresetCommands(store, chats, change, redraw.session, say)
        self._prompts = PromptSource(store, clock.now, chats, drafts, parts.copy, remark)
        self.sending = Sending(
            parts.composer, drafts, chats, turns, perform=parts.dispatcher.perform, cursor=transcript.cursor,
            go_on_from_edit=self._replies.go_on_from_edit, show_queue=redraw.queue,
            note_refused=self.history.note_refused, say=say,
        )  # fmt: skip
        self.save_retry = SaveRetry(
            chats, drafts, switching, clock.sleep, run=lambda work: parts.run_beside(work, "saving"),
            show=parts.save_line.show, solved=self._saved_again, saved=parts.bars.refresh,
        )  # fmt: skip
        self.leaving = Leaving(
            services.session_store, chats, drafts, switching, saved=parts.bars.refresh, say=say,
            key=label("quit"), exit=parts.app.exit,
        )  # fmt: skip
        self.outside_watch = OutsideWatch(
            services.session_store, chats, drafts, parts.feed, switching, clock.now, changed=redraw.session,
            listed=redraw.listed, saved=parts.bars.refresh, run_later=run_later, key=label("open-copy"),
        )  # fmt: skip

    def _type_again(self) -> None:
        if not has_keys(self._parts.transcript):
            self._parts.type_here()

    def _choose(self, screen: Screen[Result], take: Callable[[Result], Done], /) -> None:
        def left(choice: Result | None) -> None:
            if choice is not None:
                self._parts.background.attempt(partial(take, choice))

        self._parts.app.push_screen(screen, left)

    def _saved_again(self) -> None:
        self._parts.feed.forget(SAVING)
        self._parts.bars.remark("Saved again.")

    def rows(self) -> Rows:
        parts, services, target = self._parts, self._parts.services, self._target
        store, clock, label = services.settings_store, services.clock, parts.keymap.label
        chats, transcript, composer, drafts = parts.chats, parts.transcript, parts.composer, parts.drafts
        change, shown, background = parts.current.change, parts.redraw.session, parts.background
        say, remark, copy, type_here = parts.feed.say, parts.bars.remark, parts.copy, parts.type_here
        push = parts.app.push_screen
        batches = BatchCommands(
            store, services.check_form, clock.monotonic, target, self.turns, transcript, change=change, copy=copy,
            type_again=self._type_again, choose=self._choose, remark=remark, label=label,
        )  # fmt: skip
        screen_commands = ScreenCommands(
            composer, drafts, parts.find_bar, parts.panes, lambda: chats.current.replies, parts.keymap,
            target.cursor, offers=parts.offers, type_here=type_here, copy=copy, stop=batches.stop_all,
            leave=parts.leave, now_s=clock.monotonic, push=push, remark=remark,
        )  # fmt: skip
        tree = TreeCommands(
            services.session_store, target, parts.current, transcript, background.attempt, type_here, now=clock.now,
            undo_key=label("undo"), push=push, say=say, remark=remark,
        )  # fmt: skip
        settings = SettingCommands(
            store, services.check_form, services.load_schema, chats, change=change, changed=shown, say=say
        )
        raw = RawCommand(
            store, chats, self._prompts, parts.panes, composer, drafts, self.turns, typed=parts.typed, changed=shown,
            edit_outside=partial(edit_outside, services.text_editor, parts.app.suspend), run_later=background.later,
            push=push, say=say, remark=remark,
        )  # fmt: skip
        traces = TraceCommands(
            target, services.engine, clock.monotonic, cut=self._replies.go_on_from_edit, recorder=services.recorder,
            push=push, say=say,
        )  # fmt: skip
        panes = PaneCommands(parts.panes, self._prompts, target, type_here=type_here, push=push, remark=remark)
        return {
            **ViewCommands(transcript, parts.find_bar, chats, shown=shown, type_here=type_here).rows(),
            **screen_commands.rows(),
            "last-prompt": partial(self.history.recall, 1),
            **self.copying.rows(),
            **batches.rows(),
            **tree.rows(),
            **self._replies.rows(),
            **settings.rows(),
            **self._presets.rows(),
            **self._sessions.rows(),
            **raw.rows(),
            **traces.rows(),
            **self.outside_watch.rows(),
            **panes.rows(),
            "compare": CompareCommand(target, tree.show_alternative, self._choose),
            "theme": ThemeCommand(parts.app, services.themes, store, self._choose, say),
        }

    def make_panel(self, name: str) -> Panel:
        parts, services, chats = self._parts, self._parts.services, self._parts.chats
        clock, keys, say = services.clock, parts.keymap, parts.feed.say
        match name:
            case "sessions":
                from kimi_tui.ui.panes.sessions_feed import SessionsPanel  # noqa: PLC0415 - made when it is first shown

                return SessionsPanel(
                    services.session_store, chats, self._sessions, now=clock.now, open=self._open_and_leave_pane,
                    leave=self._leave_pane, run_later=parts.background.later, say=say, remark=parts.bars.remark,
                    keys=keys,
                )  # fmt: skip
            case "reasoning":
                from kimi_tui.ui.panes.reasoning_feed import ReasoningPanel  # noqa: PLC0415 - likewise

                return ReasoningPanel(chats, lambda: parts.transcript.cursor.chosen, clock.monotonic)
            case "settings":
                from kimi_tui.ui.panes.settings_feed import SettingsPanel  # noqa: PLC0415 - likewise

                return SettingsPanel(
                    services.settings_store, chats, perform=parts.dispatcher.perform,
                    rename_preset=self._rename_preset, change=parts.current.change, say=say, keys=keys.keys,
                    look_at_form=self._look_at_form,
                )  # fmt: skip
            case _:
                from kimi_tui.ui.panes.prompt_feed import PromptPanel  # noqa: PLC0415 - likewise

                return PromptPanel(self._prompts)

    def _rename_preset(self, old: str, new: str) -> None:
        self._parts.background.attempt(lambda: self._presets.rename(old, new))

    def _look_at_form(self, form: object) -> str:
        check = self._parts.services.check_form
        return check(form, None).words if check is not None and isinstance(form, Mapping) else ""

    async def _open_and_leave_pane(self, path: Path) -> None:
        await self._parts.current.open(path)
        self._leave_pane()

    def _leave_pane(self) -> None:
        self._parts.panes.close_overlay()
        self._parts.type_here()
