"""The words of the status line and of an empty session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import accumulate
from typing import NamedTuple

from kimi_tui.core.errors import KimiError
from kimi_tui.core.prompt.calibration import UNCALIBRATED, Calibration
from kimi_tui.core.prompt.reply_figures import figures_of
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session import tree
from kimi_tui.core.session.endings import STATES_IN_SHORT
from kimi_tui.core.session.kept_thinking import KeptThinking
from kimi_tui.core.session.request_starts import requests_of
from kimi_tui.core.session.session import NO_USAGE, Message, MessageState, Role, Session
from kimi_tui.core.session.session_usage import total_usage
from kimi_tui.core.session.written import Begun
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.core.wire.thinking_budget import NO_BUDGET
from kimi_tui.ui.state.entries import notice
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.state.figures import Figures
from kimi_tui.ui.state.next_reply import NOTHING_ASKED, NextReply
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.state.services import Services
from kimi_tui.ui.text import words

METER_CELLS = 4
"""Width of the context meter between its ends."""
NEAR, ROOM_AGAIN = 0.85, 0.8
"""Shares of the window, the reply's included: from the one on it is nearly full, below the other not any more."""
TURN_TOKENS = 8
"""What the markers and the role's name around a message take, in tokens, by the same estimate as its text."""
READ_ONLY_MARK = "read-only  "
"""What stands before the title of a session that can only be read."""
UNSAVED = "! not saved  "
"""What stands before the title of a session of which text is in no file."""
EIGHTHS = " ▏▎▍▌▋▊▉█"
"""A cell filled by 0 to 8 eighths."""


def meter(share: float) -> str:
    """Draw how full the context window is; `share` in [0, 1]."""
    eighths = round(min(max(share, 0.0), 1.0) * METER_CELLS * 8)
    full, rest = divmod(eighths, 8)
    cells = EIGHTHS[8] * full + (EIGHTHS[rest] if full < METER_CELLS else "")
    return f"▕{cells:<{METER_CELLS}}▏"


class Context(NamedTuple):
    tokens: int
    window_tokens: int
    is_counted: bool
    """Whether the endpoint has counted all of them; else the rest is estimated."""
    reply_tokens: int = 0
    """How much of the window is kept for the reply."""

    @property
    def _filled(self) -> float:
        return (self.tokens + self.reply_tokens) / self.window_tokens

    @property
    def is_near(self) -> bool:
        """Whether the window is nearly full, or more than that."""
        return self._filled >= NEAR

    @property
    def has_room_again(self) -> bool:
        """Whether it is so far from that, that it would be worth a word when it is near once more."""
        return self._filled < ROOM_AGAIN

    def with_typed(self, tokens: int) -> Context:
        """The same with what is being typed; 0 = nothing is."""
        return self._replace(tokens=self.tokens + tokens + TURN_TOKENS, is_counted=False) if tokens else self

    def words(self, more_tokens: int = 0) -> str:
        """Write it, with tokens that came since: "~12.3k/256k ▕█▏"; with a mark where it is nearly full."""
        used = self.tokens + more_tokens
        mark = "⚠ " if self.is_near and not more_tokens else ""
        mark += "" if self.is_counted else "~"
        share = used / self.window_tokens
        return f"{mark}{words.count(used)}/{words.count(self.window_tokens)} {meter(share)}"


def context_of(
    session: Session, window_tokens: int, kept: KeptThinking = 0, left_out: Set[str] | None = None
) -> Context:
    """Say how full the window is: by the endpoint's last count on the branch, and by estimate for what came after.

    The reasoning of a reply is not sent again, unless it is `kept`: of its counted tokens the answer's share stays, by
    its length. A count is of no use once a message that it holds is left out, or one that it lacks is not.
    `left_out` = ids of what is not sent; None = what is excluded.
    """
    branch, rest = tree.branch(session), list[Message]()
    calibration = _calibration(session, branch)
    gone = {message.id for message in branch if message.excluded} if left_out is None else left_out
    now = tree.with_thinking(branch, kept, lambda it: it.id not in gone and not it.is_only_queued)
    gone_before = list(accumulate((message.id in gone for message in branch), initial=0))
    for place, message in reversed(list(enumerate(branch))):
        if message.id in gone:
            continue
        lacks_the_same = gone_before[place] == len(message.left_out) and gone >= set(message.left_out)
        is_comparable = lacks_the_same and message.raw_input is None
        others = _share_of_others(session, message) if is_comparable and message.usage is not None else 0
        if is_comparable and (counted := _counted(message, others)) is not None:
            dropped = 0 if message.id in now else _thought_share(message, others, calibration)
            moved = _moved_thinking(branch[:place], message, now, calibration)
            tokens = max(counted - dropped + moved, 0) + _estimated(rest, now, calibration)
            return Context(tokens, window_tokens, is_counted=not rest and not message.reasoning and not moved)
        rest.append(message)
    system = calibration.tokens(session.system) + TURN_TOKENS if session.system else 0
    return Context(system + _estimated(rest, now, calibration), window_tokens, is_counted=not rest and not system)


def _calibration(session: Session, branch: Sequence[Message]) -> Calibration:
    if not branch:
        return UNCALIBRATED
    from kimi_tui.core.prompt.told_sizes import calibration_of  # noqa: PLC0415 - a new session's first frame needs none

    return calibration_of(session, branch)


def _share_of_others(session: Session, reply: Message) -> int:
    """How many of the tokens that a reply's first request brought are those of other replies of the same request."""
    first = requests_of(reply)[0] if requests_of(reply) else None
    if first is None or first.request_id is None or not first.usage.output_tokens:
        return 0
    siblings = [
        message
        for message in session.messages
        if message.parent == reply.parent
        and message.id != reply.id
        and (requests := requests_of(message))
        and requests[0].request_id == first.request_id
        and requests[0].usage == NO_USAGE
    ]
    own, others = _new_chars(reply), sum(sum(_new_chars(message)) for message in siblings)
    return round(first.usage.output_tokens * others / (others + sum(own))) if others else 0


def _new_chars(reply: Message) -> tuple[int, int]:
    """How many characters of a reply's thinking and of its answer came: the others stood in its prompt."""
    begun = reply.begun or Begun()
    return max(len(reply.reasoning or "") - begun.reasoning, 0), max(len(reply.content) - (begun.content or 0), 0)


def _counted(reply: Message, others: int) -> int | None:
    """What the endpoint counted of a reply's input and of the reply; None = it counted none.

    `others` = tokens that its first request brought for other replies.
    Of several requests each counted what the reply said by then: the last of them counts, and what came since.
    """
    usages = [request.usage for request in reply.requests] or [reply.usage or NO_USAGE]
    tokens: int | None = None
    for place, usage in enumerate(usages):
        if usage.input_tokens:
            tokens = usage.input_tokens + (usage.output_tokens or 0) - (0 if place else others)
        elif tokens is not None:
            tokens += usage.output_tokens or 0
    return tokens


def _thought_share(reply: Message, others: int, calibration: Calibration) -> int:
    """How many of a reply's counted tokens its reasoning has: by its length, or as part of its input.

    `others` as for `_counted`.
    """
    counted, (thought, said) = ((reply.usage or NO_USAGE).output_tokens or 0) - others, _new_chars(reply)
    held = calibration.tokens((reply.reasoning or "")[: reply.begun.reasoning]) if reply.begun is not None else 0
    return held + (counted - round(counted * said / (thought + said)) if thought else 0)


def _moved_thinking(before: Sequence[Message], reply: Message, now: Set[str], calibration: Calibration) -> int:
    """How many tokens more the thinking of the messages before a reply takes now than in its prompt, estimated."""
    if not now and reply.kept_thinking == 0:
        return 0
    lacked = frozenset(reply.left_out)
    then = tree.with_thinking(before, reply.kept_thinking, lambda it: it.id not in lacked and not it.is_only_queued)
    more = calibration.tokens(*(it.reasoning or "" for it in before if it.id in now and it.id not in then))
    return more - calibration.tokens(*(it.reasoning or "" for it in before if it.id in then and it.id not in now))


def _estimated(messages: Iterable[Message], now: Set[str], calibration: Calibration) -> int:
    """Of messages that are sent; `now` = ids of those that are sent with their thinking."""
    sent = list(messages)
    thoughts = [message.reasoning or "" for message in sent if message.id in now]
    return calibration.tokens(*(message.content for message in sent), *thoughts) + TURN_TOKENS * len(sent)


def last_figures(session: Session, empty_end: MessageState | None = None) -> Figures:
    """What the last turn was like, while nothing runs; `empty_end` of one without a reply, None = the branch tells."""
    session_usd, branch = total_usage(session.messages).cost_usd, tree.branch(session)
    is_session_estimated = any(message.is_partly_counted for message in session.messages)
    if empty_end is not None or not branch or branch[-1].role is not Role.ASSISTANT:
        return Figures(_in_short(empty_end), session_usd=session_usd, is_session_estimated=is_session_estimated)
    last = branch[-1]
    usage, timing, is_estimated = figures_of(last)
    return Figures(
        _in_short(last.state),
        words.rate_of(usage.output_tokens, timing),
        timing.first_token_s,
        usage.input_tokens,
        usage.output_tokens,
        usage.cost_usd,
        session_usd,
        is_estimated=is_estimated,
        is_session_estimated=is_session_estimated,
    )


def _in_short(state: MessageState | None) -> str:
    return STATES_IN_SHORT.get(state or MessageState.COMPLETE, "ready")


class BarTexts(NamedTuple):
    title: str
    """Top left: what is open."""
    place: str
    """Top right: model, mode and endpoint."""
    short_title: str
    short_places: tuple[str, ...]
    """Model and mode, or the mode, for a narrow terminal."""
    context: Context
    last: Figures


class Bars:
    """The texts of the bars, made once for each state of a session and of the settings: the work grows with both."""

    def __init__(self, services: Services) -> None:
        self._services = services
        # Of a session, and of all else that is shown.
        self._made: tuple[Session, tuple[object, ...], BarTexts] | None = None

    def texts(
        self,
        session: Session,
        empty_end: MessageState | None = None,
        asked: NextReply = NOTHING_ASKED,
        left_out: Set[str] | None = None,
    ) -> BarTexts:
        """`asked` = what holds for the next reply alone; `left_out` as for `context_of`."""
        rest = self._services.settings, empty_end, asked, left_out
        if self._made is None or self._made[0] is not session or self._made[1] != rest:
            self._made = (session, rest, _bar_texts(session, empty_end, asked, left_out, self._services))
        return self._made[2]


def _bar_texts(
    session: Session,
    empty_end: MessageState | None,
    asked: NextReply,
    left_out: Set[str] | None,
    services: Services,
) -> BarTexts:
    try:
        request = services.resolve(session)
        budget = asked.budget or services.budget(session)
        most = "" if budget == NO_BUDGET else f" ≤ {budget}"
        thinks = request.thinking if asked.start is None else not asked.start.is_answer
        model, thinking = request.model, f"thinking{most}" if thinks else "instant"
        thinking += _form_words(session, request, services)
        kept, reply_tokens = request.kept_thinking, request.reply_tokens
    except KimiError:
        model, thinking, kept, reply_tokens = session.model, "settings cannot be used", 0, 0
    context = context_of(session, services.settings.api.context_tokens, kept, left_out)
    return BarTexts(
        title=f"kimi-tui  {session.title or 'new session'}",
        place=f"{model.rpartition('/')[2]} · {thinking} · {services.endpoint}",
        short_title=session.title or "new session",
        short_places=(f"{model.rpartition('/')[2]} · {thinking}", thinking),
        context=context._replace(reply_tokens=reply_tokens),
        last=last_figures(session, empty_end),
    )


def _form_words(session: Session, request: RequestSettings, services: Services) -> str:
    """What the answer is held to, and whether the thinking is; "" = to nothing."""
    form = request.fields.get("response_format")
    if not isinstance(form, Mapping) or form.get("type") == "text":
        return ""
    from kimi_tui.core.settings.turn_plan import is_parted  # noqa: PLC0415 - most sessions have no form

    return f"{', then' if is_parted(services.settings, session, request) else ' in'} {form.get('type')}"


def welcome_entries(services: Services) -> list[Entry]:
    if services.key_problem is not None:
        return [notice("welcome", key_words(services.key_problem), "warning")]
    label = KeyTable.of(services.settings.keymap).label
    ways = ((label("help"), "shows the keys"), (label("palette"), "finds a command"))
    more = ", ".join(f"{key} {what}" for key, what in ways if key)
    send = f" and press {key}" if (key := label("send")) else ""
    text = f"Type a message{send}.{f' {more}.' if more else ''}"
    return [Entry(key="welcome", kind=EntryKind.WELCOME, heading="kimi-tui", text=text)]


def elsewhere(chats: Sequence[Chat]) -> str:
    """Say what goes on in sessions that are not on screen; "" = nothing."""
    running = sum(chat.turn is not None for chat in chats)
    failed = sum(chat.has_failed for chat in chats)
    unread = sum(chat.is_unread and not chat.has_failed for chat in chats)
    unsaved = sum(chat.unsaved is not None for chat in chats)
    parts = (
        (running, f"● {running} running elsewhere"),
        (unread, f"✓ {unread} new"),
        (failed, f"✗ {failed} failed"),
        (unsaved, f"! {unsaved} not saved"),
    )
    return "".join(f"{part} · " for count, part in parts if count)


def key_words(problem: KimiError) -> str:
    way = "Set DEEPINFRA_TOKEN in the environment to your key, or try everything offline: kimi-tui --demo"
    return f"{problem.summary}\n{way}"
