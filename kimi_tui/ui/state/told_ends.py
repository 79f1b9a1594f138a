"""What is told when a turn has ended: of each reply, and of a sweep in whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from kimi_tui.core.prompt.context_meter import context_of
from kimi_tui.core.prompt.raw_alternatives import raw_input_asked, raw_input_tokens
from kimi_tui.core.prompt.raw_prompt import RawInput
from kimi_tui.core.session.session import MessageState
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.core.wire.turn_events import TurnEnded
from kimi_tui.engine.openings import Asking, AskingAgain, GoingOn, Opening
from kimi_tui.ui.state.end_notices import end_notices, end_of
from kimi_tui.ui.state.open_chat import PASSING, Chat
from kimi_tui.ui.state.reply_rows import batch_table
from kimi_tui.ui.state.services import Services

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.engine.turn import Turn


class ToldEnd(NamedTuple):
    text: str
    severity: str
    about: str = ""
    """What later notices about the same thing are about; "" = nothing."""


def is_raw(opening: Opening) -> bool:
    """Whether its first request is sent as the user wrote it."""
    return isinstance(opening, Asking | AskingAgain) and isinstance(opening.start, RawInput)


def told_ends(services: Services, chat: Chat, turn: Turn, ended: TurnEnded, opening: Opening) -> Iterator[ToldEnd]:
    """What is to be told, once the chat has noted the end."""
    label, which = KeyTable.of(services.settings.keymap).label, _which(chat, ended)
    if not which or ended.state is not MessageState.CANCELLED:  # the status line tells of all that are stopped at once
        notices = end_notices(
            ended,
            has_text_back=isinstance(opening, Asking),
            is_raw=is_raw(opening),
            prompt_tokens=partial(_asked_tokens, services, chat, turn),
            gone_on_with=chat.message(ended.reply_id) if isinstance(opening, GoingOn) else None,
        )
        for notice in notices:
            yield ToldEnd(f"{which}{notice.words(label)}", notice.severity, end_of(ended.reply_id))
    batch = chat.batch  # of replies that began together otherwise the conversation tells enough
    if batch is not None and batch.what and batch.is_over and batch.has(ended.reply_id):
        complete = sum(member.state is MessageState.COMPLETE for member in batch.members)
        words = f"The sweep over {batch.what} has ended, {complete} of {len(batch.members)} complete."
        way = " or ".join(filter(None, (label("side-by-side"), "/sweep")))
        table = batch_table(chat, batch, services.clock.monotonic())
        yield ToldEnd(f"{words}\n{table}\n{way} shows them side by side.", PASSING)


def _which(chat: Chat, ended: TurnEnded) -> str:
    """Name one of several replies that grew side by side; "" = it was the only one."""
    if len(chat.ends) == 1 and chat.turn is None:
        return ""
    if chat.batch is not None and (setting := chat.batch.setting_of(ended.reply_id)):
        return f"{setting}: "
    return f"Answer {chat.place_among_alternatives(ended.reply_id)[0]}: " if ended.replies else "One of the answers: "


def _asked_tokens(services: Services, chat: Chat, turn: Turn) -> int:
    """What asking its question once more takes, in tokens, estimated."""
    if turn.question is None:
        return 0
    if (raw := raw_input_asked(chat.session, turn.reply.beginning)) is not None:
        return raw_input_tokens(chat.session, raw)
    asked, window_tokens = replace(chat.session, head=turn.question.id), services.settings.api.context_tokens
    left_out = None if turn.context is None else frozenset(turn.context.left_out)
    return context_of(asked, window_tokens, turn.request.kept_thinking, left_out).tokens
