"""The words of the status line and of an empty session."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from kimi_tui.core.errors import KimiError
from kimi_tui.core.ports import SettingsStore
from kimi_tui.core.prompt.context_meter import Context, context_of
from kimi_tui.core.prompt.reply_figures import figures_of
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.session import tree
from kimi_tui.core.session.endings import STATES_IN_SHORT
from kimi_tui.core.session.session import MessageState, Role, Session
from kimi_tui.core.session.session_usage import total_usage
from kimi_tui.core.settings.sampling import resolve_chat, resolve_request
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.wire.thinking_budget import NO_BUDGET
from kimi_tui.ui.state.entries import notice
from kimi_tui.ui.state.entry import Entry, EntryKind
from kimi_tui.ui.state.figures import Figures
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.text import words

METER_CELLS = 4
"""Width of the context meter between its ends."""
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


def context_words(context: Context, more_tokens: int = 0) -> str:
    """Write how full it is, with tokens that came since: "~12.3k/256k ▕█▏"; with a mark where it is nearly full."""
    used = context.tokens + more_tokens
    mark = "⚠ " if context.is_near and not more_tokens else ""
    mark += "" if context.is_counted else "~"
    share = used / context.window_tokens
    return f"{mark}{words.count(used)}/{words.count(context.window_tokens)} {meter(share)}"


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

    def __init__(self, store: SettingsStore, endpoint: str) -> None:
        """`endpoint` is a word for it."""
        self._store, self._endpoint = store, endpoint
        # Of a session, and of all else that is shown.
        self._made: tuple[Session, tuple[object, ...], BarTexts] | None = None

    def texts(self, chat: Chat) -> BarTexts:
        session, settings = chat.session, self._store.value
        rest = settings, chat.empty_end, chat.next_reply, chat.room.cut.left_out
        if self._made is None or self._made[0] is not session or self._made[1] != rest:
            self._made = session, rest, _bar_texts(chat, settings, self._endpoint)
        return self._made[2]


def _bar_texts(chat: Chat, settings: Settings, endpoint: str) -> BarTexts:
    session, asked = chat.session, chat.next_reply
    try:
        request = resolve_request(settings, session)
        budget = asked.budget or resolve_chat(settings, session).budget
        most = "" if budget == NO_BUDGET else f" ≤ {budget}"
        thinks = request.thinking if asked.start is None else not asked.start.is_answer
        model, thinking = request.model, f"thinking{most}" if thinks else "instant"
        thinking += _form_words(session, request, settings)
        kept, reply_tokens = request.kept_thinking, request.reply_tokens
    except KimiError:
        model, thinking, kept, reply_tokens = session.model, "settings cannot be used", 0, 0
    window_tokens = settings.api.context_tokens
    context = context_of(session, window_tokens, kept, chat.room.cut.left_out, chat.calibration)
    return BarTexts(
        title=f"kimi-tui  {session.title or 'new session'}",
        place=f"{model.rpartition('/')[2]} · {thinking} · {endpoint}",
        short_title=session.title or "new session",
        short_places=(f"{model.rpartition('/')[2]} · {thinking}", thinking),
        context=context._replace(reply_tokens=reply_tokens),
        last=last_figures(session, chat.empty_end),
    )


def _form_words(session: Session, request: RequestSettings, settings: Settings) -> str:
    """What the answer is held to, and whether the thinking is; "" = to nothing."""
    form = request.fields.get("response_format")
    if not isinstance(form, Mapping) or form.get("type") == "text":
        return ""
    from kimi_tui.core.settings.turn_plan import is_parted  # noqa: PLC0415 - most sessions have no form

    return f"{', then' if is_parted(settings, session, request) else ' in'} {form.get('type')}"


def welcome_entries(key_problem: KimiError | None, label: Callable[[str], str]) -> Sequence[Entry]:
    """`key_problem` = why no request can be sent, None = one can; `label` gives an action's key, "" = it has none."""
    if key_problem is not None:
        return [notice("welcome", key_words(key_problem), "warning")]
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
