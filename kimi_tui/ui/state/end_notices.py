"""What has to be said of a turn that ended other than usual, and which actions are offered then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from kimi_tui.core.errors import TRY_AGAIN
from kimi_tui.core.prompt.context_meter import context_of, raw_input_tokens
from kimi_tui.core.prompt.raw_prompt import raw_input_asked
from kimi_tui.core.prompt.token_estimate import written_tokens
from kimi_tui.core.session.endings import cut, ended_inside_reasoning
from kimi_tui.core.session.session import FinishReason, Message, MessageState
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.wire.reply_plans import refusal_to_continue
from kimi_tui.core.wire.turn_events import Phase, TurnEnded
from kimi_tui.engine.openings import Opening
from kimi_tui.ui.state.notices import PASSING
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.reply_rows import batch_table
from kimi_tui.ui.text import words

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.engine.turn import Turn

TEXT_IS_BACK = "Your text is back in the composer."
RAW_IS_KEPT = "Your raw input is kept: /raw opens it."


@dataclass(frozen=True, slots=True)
class Offer:
    action_id: str
    """Its id, which is its slash command too; its key holds where the message is chosen."""
    what: str
    """What it does: a verb and more, behind its key and its command."""
    cost: str = ""
    """What it takes; "" = that is not told."""

    def words(self, label: Callable[[str], str]) -> str:
        """Write it; `label` gives an action's key as it is shown, "" = it has none."""
        key = label(self.action_id)
        way = f"{key} on it or /{self.action_id}" if key else f"/{self.action_id}"
        return f"{way} {self.what}{f' ({self.cost})' if self.cost else ''}"


AGAIN = (Offer("regenerate", "asks for a reply"),)
"""What is offered where a question has none."""


@dataclass(frozen=True, slots=True)
class EndNotice:
    severity: str
    """How serious it is: "info", "warning" or "error"."""
    text: str
    """What happened, and what was kept."""
    offers: tuple[Offer, ...] = ()
    hint: str = ""
    """What to do besides, on a line of its own; "" = nothing."""

    def words(self, label: Callable[[str], str]) -> str:
        offered = "; ".join(offer.words(label) for offer in self.offers)
        gap = "" if not offered or self.text[-1:].isspace() else "\n"
        return "\n".join(line for line in (f"{self.text}{gap}{f'{offered}.' if offered else ''}", self.hint) if line)


def offers_for(reply: Message, prompt_tokens: int) -> tuple[Offer, ...]:
    """What is offered where a part of a reply is kept; `prompt_tokens` = what asking its question takes, estimated."""
    again = f"~{words.count(prompt_tokens)} tok in, all of it written anew"
    offers = (Offer("regenerate", "asks for another reply", again),)
    if refusal_to_continue(reply):
        return offers
    cost = f"~{words.count(prompt_tokens + (written_tokens(reply) or 0))} tok in"
    return (Offer("continue", "goes on where it broke off", cost), *offers)


def end_notices(
    ended: TurnEnded,
    *,
    has_text_back: bool,
    prompt_tokens: Callable[[], int] = int,
    gone_on_with: Message | None = None,
    is_raw: bool = False,
) -> list[EndNotice]:
    """With `has_text_back`, its question is back in the composer where no reply came; with `is_raw` its input is kept.

    `gone_on_with` is the reply as it stands now; None = the turn was to bring a new one, and nothing came.
    `prompt_tokens` gives what asking the question once more takes, estimated; it is asked only where that is told. What
    is not saved is told elsewhere, for as long as it is not.
    """
    is_whole = not ended.replies or bool(refusal_to_continue(ended.replies[0]))
    if ended.phase is Phase.FINISHED and is_whole:
        return []
    kept = RAW_IS_KEPT if is_raw else TEXT_IS_BACK if has_text_back else ""
    offers: tuple[Offer, ...] = () if has_text_back or is_raw else AGAIN
    if ended.replies:
        kept, offers = "What arrived is kept; ", offers_for(ended.replies[0], prompt_tokens())
    elif gone_on_with is not None:
        kept, offers = "The reply is as it was; ", offers_for(gone_on_with, prompt_tokens())
    if ended.error is not None:
        told = (ended.error.summary, ended.error.quote, kept)
        hint = "" if ended.error.hint == TRY_AGAIN else ended.error.hint
        return [EndNotice("error", "\n".join(filter(None, told)), offers, hint)]
    if ended.phase is Phase.STOPPED:
        stopped = "Stopped. " if ended.replies else "Stopped before anything arrived. "
        return [EndNotice("info", f"{stopped}{kept}", offers)]
    return [] if is_whole else [_broke_off(ended.replies[0], kept, offers)]


def _broke_off(reply: Message, kept: str, offers: tuple[Offer, ...]) -> EndNotice:
    if ended_inside_reasoning(reply):
        more = "Raise max_new_tokens, or ask" if reply.finish_reason == FinishReason.LENGTH else "Or ask"
        return EndNotice("warning", f"The reply ended inside its thinking. {kept}", offers, f"{more} with /think off.")
    return EndNotice("warning", f"The reply {f'was {cut(reply)}' if cut(reply) else 'has no answer'}. {kept}", offers)


def end_of(reply_id: str) -> str:
    """What a notice on how a reply ended is about: it holds until the reply is gone on with."""
    return f"end of {reply_id}"


def unfinished_notice(reply: Message) -> EndNotice | None:
    """What is offered where a session is opened whose last reply broke off; None = it did not."""
    if refusal_to_continue(reply):
        return None
    how = cut(reply) or ("cut inside its thinking" if ended_inside_reasoning(reply) else "left without an answer")
    offers = (Offer("continue", "goes on where it broke off"), Offer("regenerate", "asks for another reply"))
    return EndNotice("info", f"The last reply was {how}; ", offers)


class ToldEnd(NamedTuple):
    text: str
    severity: str
    about: str = ""
    """What later notices about the same thing are about; "" = nothing."""


def told_ends(
    chat: Chat,
    turn: Turn,
    ended: TurnEnded,
    opening: Opening,
    *,
    settings: Settings,
    label: Callable[[str], str],
    now_s: float,
) -> Iterator[ToldEnd]:
    """What is to be told, once the chat has noted the end; `label` gives an action's key as it is shown."""
    which = _which(chat, ended)
    if not which or ended.state is not MessageState.CANCELLED:  # the status line tells of all that are stopped at once
        notices = end_notices(
            ended,
            has_text_back=opening.typed is not None,
            is_raw=opening.is_raw,
            prompt_tokens=partial(_asked_tokens, settings, chat, turn),
            gone_on_with=chat.message(ended.reply_id),
        )
        for notice in notices:
            yield ToldEnd(f"{which}{notice.words(label)}", notice.severity, end_of(ended.reply_id))
    batch = chat.replies.batch  # of replies that began together otherwise the conversation tells enough
    if batch.what and batch.is_over and batch.has(ended.reply_id):
        complete = sum(member.state is MessageState.COMPLETE for member in batch.members)
        summary = f"The sweep over {batch.what} has ended, {complete} of {len(batch.members)} complete."
        way = " or ".join(filter(None, (label("side-by-side"), "/sweep")))
        table = batch_table(chat.branch_now(), chat.replies, now_s)
        yield ToldEnd(f"{summary}\n{table}\n{way} shows them side by side.", PASSING)


def _which(chat: Chat, ended: TurnEnded) -> str:
    """Name one of several replies that grew side by side; "" = it was the only one."""
    if len(chat.replies.ends) == 1 and chat.replies.turn is None:
        return ""
    if setting := chat.replies.batch.setting_of(ended.reply_id):
        return f"{setting}: "
    return f"Answer {chat.place_among_alternatives(ended.reply_id)[0]}: " if ended.replies else "One of the answers: "


def _asked_tokens(settings: Settings, chat: Chat, turn: Turn) -> int:
    """What asking its question once more takes, in tokens, estimated."""
    if turn.question is None:
        return 0
    if (raw := raw_input_asked(chat.session, turn.reply.beginning)) is not None:
        return raw_input_tokens(chat.session, raw.text)
    asked, window_tokens = replace(chat.session, head=turn.question.id), settings.api.context_tokens
    left_out = None if turn.context is None else frozenset(turn.context.left_out)
    return context_of(asked, window_tokens, turn.request.kept_thinking, left_out).tokens
