"""What the first frame does not need: the commands, made with the first of them, and the side panes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from kimi_tui.ui.app.chat_screen import ChatScreen
from kimi_tui.ui.commands.batch_commands import BatchCommands
from kimi_tui.ui.commands.compare_command import CompareCommand
from kimi_tui.ui.commands.copy_commands import CopyCommands
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.commands.form_commands import FormCommands
from kimi_tui.ui.commands.leaving import SAVING, Leaving
from kimi_tui.ui.commands.outside_watch import OutsideWatch
from kimi_tui.ui.commands.pane_commands import PaneCommands
from kimi_tui.ui.commands.preset_commands import PresetCommands
from kimi_tui.ui.commands.prompt_history import PromptHistory
from kimi_tui.ui.commands.raw_command import RawCommand
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
from kimi_tui.ui.commands.view_commands import view_rows
from kimi_tui.ui.keys.focus import has_keys
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.panes.prompt_source import PromptSource
from kimi_tui.ui.state.form_checks import FormChecks
from kimi_tui.ui.state.running_turns import Turns


class LateParts:
    """The second half of what plugs the program together: it hands the parts of the screen to what needs them."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen, self._services, self._chats = screen, screen.services, screen.open_chats
        services, view, self._label = screen.services, screen.turn_display, screen.keyboard.table.label
        self._store, self._clock, self._push = services.settings_store, services.clock, screen.app.push_screen
        self._target = Target(self._chats, screen.transcript.cursor)
        self.turns = Turns(
            self._store, services.engine, self._clock, view, screen.run_turn, label=self._label,
            checks=FormChecks(services.check_form, self._label, view, screen.run_turn),
            key_problem=services.key_problem,
            recorded_plan=None if services.first_turn is None else services.first_turn.plan,
        )  # fmt: skip
        self.history = PromptHistory(
            screen.composer, screen.drafts, self._chats, recent=services.session_store.recent_prompts,
            show_queue=screen.redraw.queue, run_later=screen.run_later,
        )  # fmt: skip
        self.copying = CopyCommands(
            self._target, screen.transcript, services.link_opener, copy=screen.copy, run_later=screen.run_later,
            push=self._push, say=screen.say, remark=screen.remark,
        )  # fmt: skip
        self._replies = ReplyCommands(
            self._target, screen.transcript, self.turns, screen.drafts, change=screen.current.change,
            changed=screen.redraw.session, type_again=self._type_again, say=screen.say, now=self._clock.now,
            label=self._label,
        )  # fmt: skip
        self._sessions = SessionCommands(
            services.session_store, self._chats, screen.current, listed=screen.redraw.listed, say=screen.say,
            restore_key=self._label("restore-session"),
        )  # fmt: skip
        self._presets = PresetCommands(
            self._store, self._chats, screen.current.change, screen.redraw.session, screen.say
        )
        self._prompts = PromptSource(
            self._store, self._clock.now, self._chats, screen.drafts, screen.copy, screen.remark
        )
        self.sending = Sending(
            screen.composer, screen.drafts, self._chats, self.turns, perform=screen.dispatcher.perform,
            cursor=screen.transcript.cursor, go_on_from_edit=self._replies.go_on_from_edit,
            show_queue=screen.redraw.queue, note_refused=self.history.note_refused, say=screen.say,
        )  # fmt: skip
        self.save_retry = SaveRetry(
            self._chats, screen.drafts, switching=screen.current.switching, sleep=self._clock.sleep,
            run=lambda work: screen.run_beside(work, "saving"), show=screen.save_line.show, solved=self._saved_again,
            saved=screen.bars.refresh,
        )  # fmt: skip
        self.leaving = Leaving(
            services.session_store, self._chats, self.turns, screen.drafts, switching=screen.current.switching,
            saved=screen.bars.refresh, say=screen.say, key=self._label("quit"), exit=screen.app.exit,
        )  # fmt: skip
        self.outside_watch = OutsideWatch(
            services.session_store, self._chats, screen.drafts, screen.redraw.feed, switching=screen.current.switching,
            now=self._clock.now, changed=screen.redraw.session, listed=screen.redraw.listed, saved=screen.bars.refresh,
            run_later=screen.run_later, key=self._label("open-copy"),
        )  # fmt: skip

    def _type_again(self) -> None:
        if not has_keys(self._screen.transcript):
            self._screen.type_here()

    def _saved_again(self) -> None:
        self._screen.redraw.feed.forget(SAVING)
        self._screen.remark("Saved again.")

    def rows(self) -> Rows:
        screen, services, target = self._screen, self._services, self._target
        change, say, remark, push, attempt = (
            screen.current.change,
            screen.say,
            screen.remark,
            self._push,
            screen.attempt,
        )
        screen_commands = ScreenCommands(
            screen.composer, screen.drafts, screen.find_bar, screen.panes, self._chats, screen.keyboard, target.cursor,
            offers=screen.offers, type_here=screen.type_here, copy=screen.copy, leave=screen.leave,
            now_s=self._clock.monotonic, push=push, remark=remark,
        )  # fmt: skip
        batches = BatchCommands(
            self._store, services.check_form, self._clock.monotonic, target, self.turns, screen.transcript,
            change=change, copy=screen.copy, attempt=attempt, type_again=self._type_again, push=push, remark=remark,
            label=self._label,
        )  # fmt: skip
        tree = TreeCommands(
            services.session_store, target, screen.current, screen.transcript, attempt, type_here=screen.type_here,
            now=self._clock.now, undo_key=self._label("undo"), push=push, say=say, remark=remark,
        )  # fmt: skip
        settings = SettingCommands(
            self._store, services.check_form, self._chats, change, changed=screen.redraw.session, say=say
        )
        forms = FormCommands(
            self._store, services.check_form, services.load_schema, target, screen.drafts, self.turns.checks,
            change=change, type_here=screen.type_here, say=say,
        )  # fmt: skip
        raw = RawCommand(
            self._store, services.text_editor, self._chats, self._prompts, screen.panes, screen.composer, screen.drafts,
            self.turns, typed=screen.typed, changed=screen.redraw.session, suspend=screen.app.suspend,
            run_later=screen.run_later, push=push, say=say, remark=remark,
        )  # fmt: skip
        traces = TraceCommands(
            target, services.engine, self._clock.monotonic, cut=self._replies.go_on_from_edit,
            recorder=services.recorder, push=push, say=say,
        )  # fmt: skip
        panes = PaneCommands(screen.panes, self._prompts, target, type_here=screen.type_here, push=push, remark=remark)
        view = view_rows(
            screen.transcript, screen.find_bar, self._chats, shown=screen.redraw.session, type_here=screen.type_here
        )
        return {
            **view,
            **screen_commands.rows(),
            "last-prompt": partial(self.history.recall, 1),
            **self.copying.rows(),
            **batches.rows(),
            **tree.rows(),
            **self._replies.rows(),
            **settings.rows(),
            **forms.rows(),
            **self._presets.rows(),
            **self._sessions.rows(),
            **raw.rows(),
            **traces.rows(),
            **self.outside_watch.rows(),
            **panes.rows(),
            "compare": CompareCommand(target, tree.show_alternative, attempt, push),
            "theme": ThemeCommand(screen.app, services.themes, self._store, attempt, say),
        }

    def make_panel(self, name: str) -> Panel:
        """Each pane's widget is imported when it is first needed."""
        screen, services, chats, keys = self._screen, self._services, self._chats, self._screen.keyboard.table
        match name:
            case "sessions":
                from kimi_tui.ui.panes.sessions_feed import SessionsPanel  # noqa: PLC0415

                return SessionsPanel(
                    services.session_store, chats, self._sessions, now=self._clock.now, open=self._open_and_leave_pane,
                    leave=self._leave_pane, run_later=screen.run_later, say=screen.say, remark=screen.remark, keys=keys,
                )  # fmt: skip
            case "reasoning":
                from kimi_tui.ui.panes.reasoning_feed import ReasoningPanel  # noqa: PLC0415

                return ReasoningPanel(chats, lambda: screen.transcript.cursor.chosen, self._clock.monotonic)
            case "settings":
                from kimi_tui.ui.panes.settings_feed import SettingsPanel  # noqa: PLC0415

                return SettingsPanel(
                    self._store, chats, perform=screen.dispatcher.perform, rename_preset=self._rename_preset,
                    change=screen.current.change, say=screen.say, keys=keys.keys, look_at_form=self._look_at_form,
                )  # fmt: skip
            case _:
                from kimi_tui.ui.panes.prompt_feed import PromptPanel  # noqa: PLC0415

                return PromptPanel(self._prompts, keys.keys)

    def _rename_preset(self, old: str, new: str) -> None:
        self._screen.attempt(lambda: self._presets.rename(old, new))

    def _look_at_form(self, form: object) -> str:
        check = self._services.check_form
        return check(form, None).words if check is not None and isinstance(form, Mapping) else ""

    async def _open_and_leave_pane(self, path: Path) -> None:
        await self._screen.current.open(path)
        self._leave_pane()

    def _leave_pane(self) -> None:
        self._screen.panes.close_overlay()
        self._screen.type_here()
