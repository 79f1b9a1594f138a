"""What the first frame does not need: the commands, made with the first of them, and the side panes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from textual.app import App

from kimi_tui.core.session.session import Message
from kimi_tui.core.settings.actions import Need
from kimi_tui.ui.app.redraw import Redraw
from kimi_tui.ui.commands.background import Background, Done
from kimi_tui.ui.commands.batch_commands import BatchCommands
from kimi_tui.ui.commands.branch_commands import BranchCommands
from kimi_tui.ui.commands.compare_command import CompareCommand
from kimi_tui.ui.commands.composer_commands import composer_rows
from kimi_tui.ui.commands.current_session import CurrentSession
from kimi_tui.ui.commands.diff_command import DiffCommand
from kimi_tui.ui.commands.dispatcher import Rows
from kimi_tui.ui.commands.file_commands import FileCommands
from kimi_tui.ui.commands.form_commands import FormCommands
from kimi_tui.ui.commands.leaving import SAVING, Leaving
from kimi_tui.ui.commands.link_commands import LinkCommands
from kimi_tui.ui.commands.message_commands import MessageCommands
from kimi_tui.ui.commands.outside_watch import OutsideWatch
from kimi_tui.ui.commands.pane_commands import PaneCommands
from kimi_tui.ui.commands.preset_commands import PresetCommands
from kimi_tui.ui.commands.prompt_history import PromptHistory
from kimi_tui.ui.commands.raw_command import RawCommand
from kimi_tui.ui.commands.read_only_commands import ReadOnlyCommands
from kimi_tui.ui.commands.record_command import RecordCommand
from kimi_tui.ui.commands.reply_commands import ReplyCommands
from kimi_tui.ui.commands.save_retry import SaveRetry
from kimi_tui.ui.commands.screen_commands import ScreenCommands
from kimi_tui.ui.commands.sending import Perform, Sending
from kimi_tui.ui.commands.session_commands import SessionCommands
from kimi_tui.ui.commands.setting_commands import SettingCommands
from kimi_tui.ui.commands.theme_command import ThemeCommand
from kimi_tui.ui.commands.trace_commands import TraceCommands
from kimi_tui.ui.commands.turn_commands import TurnCommands
from kimi_tui.ui.commands.view_commands import view_rows
from kimi_tui.ui.keys.key_lookup import Keyboard
from kimi_tui.ui.panes.conversation_feed import ConversationFeed
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.panes.find_bar import FindBar
from kimi_tui.ui.panes.panel import Panel
from kimi_tui.ui.panes.prompt_source import PromptSource
from kimi_tui.ui.panes.side_panes import SidePanes
from kimi_tui.ui.state.callbacks import Remark, Say
from kimi_tui.ui.state.open_chats import OpenChats
from kimi_tui.ui.state.running_turns import Turns
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.transcript.transcript_widget import Transcript
from kimi_tui.ui.widgets.composer import Composer
from kimi_tui.ui.widgets.told_lines import SaveLine

TEXT_LOST = 1
"""The exit status where text could not be saved."""


@dataclass(eq=False, kw_only=True)
class LateParts:
    app: App[Any]
    services: Services
    keyboard: Keyboard
    open_chats: OpenChats
    current: CurrentSession
    turns: Turns
    transcript: Transcript
    find_bar: FindBar
    composer: Composer
    drafts: Drafts
    panes: SidePanes
    redraw: Redraw
    background: Background
    perform: Perform
    offers: Callable[[], set[Need]]
    type_here: Callable[[], None]
    copy: Callable[[str, str], None]
    leave: Callable[[], Done]
    say: Say
    remark: Remark
    save_line: SaveLine
    feed: ConversationFeed
    typed: Callable[[], None]
    run: Callable[[Coroutine[Any, Any, None], str], None]

    @cached_property
    def history(self) -> PromptHistory:
        return PromptHistory(
            self.composer, self.drafts, self.open_chats, recent=self.services.session_store.recent_prompts,
            show_queue=self.redraw.queue, run_later=self.background.later,
        )  # fmt: skip

    @cached_property
    def sending(self) -> Sending:
        return Sending(
            self.composer, self.drafts, self.open_chats, self.turns, perform=self.perform,
            cursor=self.transcript.cursor, go_on_from_edit=self._replies.go_on_from_edit,
            show_queue=self.redraw.queue, note_refused=self.history.note_refused, say=self.say,
        )  # fmt: skip

    @cached_property
    def save_retry(self) -> SaveRetry:
        return SaveRetry(
            self.open_chats, self.drafts, switching=self.current.switching, sleep=self.services.clock.sleep,
            run=lambda work: self.run(work, "saving"), show=self.save_line.show, solved=self._saved_again,
            saved=self.redraw.bars.refresh,
        )  # fmt: skip

    def _saved_again(self) -> None:
        self.feed.forget(SAVING)
        self.remark("Saved again.")

    @cached_property
    def leaving(self) -> Leaving:
        return Leaving(
            self.open_chats, self.turns, self.drafts, switching=self.current.switching,
            saved=self.redraw.bars.refresh, say=self.say, key=self.keyboard.table.label("quit"), ended=self._end,
        )  # fmt: skip

    async def _end(self) -> None:
        """The result is the id of the session to resume."""
        chats = self.open_chats
        self.services.session_store.close()
        session_id = chats.current.session.id if await chats.has_file(chats.current) else None
        self.app.exit(session_id, return_code=TEXT_LOST if chats.unsaved else 0)

    @cached_property
    def outside_watch(self) -> OutsideWatch:
        redraw, key = self.redraw, self.keyboard.table.label("open-copy")
        return OutsideWatch(
            self.services.session_store, self.open_chats, self.drafts, redraw.feed, changed=redraw.session,
            listed=redraw.listed, saved=redraw.bars.refresh, run_later=self.background.later, key=key,
        )  # fmt: skip

    def _batches(self) -> BatchCommands:
        return BatchCommands(
            self.services, self.open_chats, self.turns, self.transcript, target=self._messages.target,
            question=self._messages.question, change=self.current.change, copy=self.copy,
            attempt=self.background.attempt, type_here=self.type_here, push=self.app.push_screen,
            remark=self.remark, label=self.keyboard.table.label,
        )  # fmt: skip

    def _forms(self) -> FormCommands:
        return FormCommands(
            self.services, self.open_chats, self.drafts, self.turns.checks, self._messages.reply,
            change=self.current.change, type_here=self.type_here, say=self.say,
        )  # fmt: skip

    def _look_at_form(self, form: object) -> str:
        check = self.services.check_form
        return check(form, None).words if check is not None and isinstance(form, Mapping) else ""

    def _read_only(self) -> ReadOnlyCommands:
        redraw, key = self.redraw, self.keyboard.table.label("open-copy")
        return ReadOnlyCommands(
            self.services.session_store, self.open_chats, self.drafts, self.current.switching,
            changed=redraw.session, listed=redraw.listed, now=self.services.clock.now, say=self.say, key=key,
        )  # fmt: skip

    def _raw(self) -> RawCommand:
        return RawCommand(
            self.services, self.open_chats, self._prompts, self.panes, self.composer, self.drafts, self.turns,
            typed=self.typed, changed=self.redraw.session, suspend=self.app.suspend, run_later=self.background.later,
            push=self.app.push_screen, say=self.say, remark=self.remark,
        )  # fmt: skip

    @cached_property
    def _files(self) -> FileCommands:
        key = self.keyboard.table.label("restore-session")
        session_store, listed = self.services.session_store, self.redraw.listed
        return FileCommands(session_store, self.open_chats, self.current, listed=listed, say=self.say, restore_key=key)

    @cached_property
    def _presets(self) -> PresetCommands:
        store, change, changed = self.services.settings_store, self.current.change, self.redraw.session
        return PresetCommands(store, self.open_chats, change, changed, self.say)

    @cached_property
    def _prompts(self) -> PromptSource:
        return PromptSource(self.services, self.open_chats, self.drafts, self.copy, self.remark)

    @cached_property
    def _messages(self) -> MessageCommands:
        return MessageCommands(
            self.transcript, self.open_chats, self.turns, self.drafts, change=self.current.change, copy=self.copy,
            type_here=self.type_here, push=self.app.push_screen, say=self.say, now=self.services.clock.now,
            undo_key=self.keyboard.table.label("undo"), edit_reply=self._edit_reply,
            next_changed=self.redraw.session,
        )  # fmt: skip

    def _edit_reply(self, reply: Message) -> None:
        self._replies.edit_reply(reply)

    @cached_property
    def _replies(self) -> ReplyCommands:
        return ReplyCommands(
            self.transcript, self.open_chats, self.turns, self.drafts, target=self._messages.target,
            change=self.current.change, changed=self.redraw.session, say=self.say, now=self.services.clock.now,
            label=self.keyboard.table.label,
        )  # fmt: skip

    def _branches(self) -> BranchCommands:
        return BranchCommands(
            self.services.session_store, self.open_chats, self.current, self._messages, self.transcript,
            self.background, type_here=self.type_here, now=self.services.clock.now, push=self.app.push_screen,
            say=self.say, remark=self.remark,
        )  # fmt: skip

    @cached_property
    def links(self) -> LinkCommands:
        return LinkCommands(
            self.transcript, self._messages.target, self.services.link_opener, copy=self.copy,
            run_later=self.background.later, push=self.app.push_screen, say=self.say, remark=self.remark,
        )  # fmt: skip

    def rows(self) -> Rows:
        services, chats, transcript, say = self.services, self.open_chats, self.transcript, self.say
        push = self.app.push_screen
        screen = ScreenCommands(
            self.composer, self.drafts, self.find_bar, self.panes, chats, keyboard=self.keyboard, offers=self.offers,
            type_here=self.type_here, copy=self.copy, leave=self.leave, now_s=services.clock.monotonic,
            push=push, remark=self.remark,
        )  # fmt: skip
        panes = PaneCommands(self.panes, self._prompts, transcript, chats, type_here=self.type_here, remark=self.remark)
        return {
            **view_rows(transcript, self.find_bar, chats, self.redraw.session),
            **composer_rows(self.composer, self.drafts, self.history, transcript),
            **screen.rows(),
            **self._messages.rows(),
            **self._batches().rows(),
            "open-link": self.links.open_link,
            "compare": CompareCommand(transcript, chats, self._messages.show_alternative, self.background, push),
            **SettingCommands(services, chats, self.current.change, say).rows(),
            **self._forms().rows(),
            **self._replies.rows(),
            **TurnCommands(
                services, chats, self.current.change, self.redraw.session, self._replies.answer_edit, say
            ).rows(),
            **self._presets.rows(),
            **SessionCommands(services.session_store, chats, self.current, say).rows(),
            **self._files.rows(),
            "record": RecordCommand(services.recorder, chats, say),
            **self._raw().rows(),
            **TraceCommands(transcript, chats, services, self._replies.go_on_from_edit, push).rows(),
            **self._read_only().rows(),
            **panes.rows(),
            **self._branches().rows(),
            "diff": DiffCommand(self.panes, self._prompts, push),
            "theme": ThemeCommand(self.app, services, self.background.attempt, say),
        }

    def make_panel(self, name: str) -> Panel:
        """Each pane's widget is imported when it is first needed."""
        services, chats, keys = self.services, self.open_chats, self.keyboard.table
        match name:
            case "sessions":
                from kimi_tui.ui.panes.sessions_feed import SessionsPanel  # noqa: PLC0415

                return SessionsPanel(
                    services.session_store, chats, self._files, now=services.clock.now, open=self._open_and_leave_pane,
                    leave=self._leave_pane, run_later=self.background.later, say=self.say, remark=self.remark,
                    keys=keys,
                )  # fmt: skip
            case "reasoning":
                from kimi_tui.ui.panes.reasoning_feed import ReasoningPanel  # noqa: PLC0415

                return ReasoningPanel(chats, lambda: self.transcript.cursor.chosen, services.clock.monotonic)
            case "settings":
                from kimi_tui.ui.panes.settings_feed import SettingsPanel  # noqa: PLC0415

                return SettingsPanel(
                    services.settings_store, chats, perform=self.perform, rename_preset=self._rename_preset,
                    change=self.current.change, say=self.say, keys=keys.keys, look_at_form=self._look_at_form,
                )  # fmt: skip
            case _:
                from kimi_tui.ui.panes.prompt_feed import PromptPanel  # noqa: PLC0415

                return PromptPanel(self._prompts)

    def _rename_preset(self, old: str, new: str) -> None:
        self.background.attempt(lambda: self._presets.rename(old, new))

    async def _open_and_leave_pane(self, path: Path) -> None:
        await self.current.open(path)
        self._leave_pane()

    def _leave_pane(self) -> None:
        self.panes.close_overlay()
        self.type_here()
