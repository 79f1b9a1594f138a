"""The words of the status line and of an empty session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kimi_tui.core import conversation
from kimi_tui.core.budget import estimate_tokens
from kimi_tui.core.errors import KimiError
from kimi_tui.core.session import Message, Role, Session
from kimi_tui.core.settings import Settings
from kimi_tui.ui import words
from kimi_tui.ui.entries import notice
from kimi_tui.ui.services import Services
from kimi_tui.ui.widgets.transcript import Entry, EntryKind

METER_CELLS = 4
"""Width of the context meter between its ends."""
EIGHTHS = " ▏▎▍▌▋▊▉█"
"""A cell filled by 0 to 8 eighths."""


def meter(share: float) -> str:
    """Draw how full the context window is; `share` in [0, 1]."""
    eighths = round(min(max(share, 0.0), 1.0) * METER_CELLS * 8)
    full, rest = divmod(eighths, 8)
    cells = EIGHTHS[8] * full + (EIGHTHS[rest] if full < METER_CELLS else "")
    return f"▕{cells:<{METER_CELLS}}▏"


def idle_status(session: Session) -> str:
    """What the last reply was like, while nothing runs."""
    replies = [m for m in conversation.branch(session) if m.role is Role.ASSISTANT]
    if not replies:
        return "ready"
    last = replies[-1]
    parts = [words.ending(last) or "ready", words.timing_label(last.timing)]
    if last.usage and last.usage.input_tokens is not None and last.usage.output_tokens is not None:
        parts.append(f"{words.count(last.usage.input_tokens)} in · {words.count(last.usage.output_tokens)} out")
    return "○ " + " · ".join(part for part in parts if part)


def totals(session: Session, window_tokens: int) -> str:
    """The context meter, and the cost as the endpoint reported it."""
    branch = conversation.branch(session)
    last = next((m.usage for m in reversed(branch) if m.usage), None)
    if last is not None and last.input_tokens:
        used, mark = last.input_tokens + (last.output_tokens or 0), ""
    else:
        used, mark = estimated_tokens(session.system, branch), "~"
    parts = [f"context {mark}{words.count(used)}/{words.count(window_tokens)} {meter(used / window_tokens)}"]
    total = words.total_usage(session.messages)
    if last and last.cost_usd is not None:
        parts.append(f"turn {words.dollars(last.cost_usd)}")
    if total.cost_usd is not None:
        parts.append(f"session {words.dollars(total.cost_usd)}")
    return " · ".join(parts)


def estimated_tokens(system: str | None, branch: Iterable[Message]) -> int:
    """Tokens of all that is sent, where the endpoint has not counted."""
    return estimate_tokens(system or "") + sum(estimate_tokens(m.content) for m in branch if not m.excluded)


@dataclass(frozen=True, slots=True)
class BarTexts:
    """What the two bars say of one state of a session."""

    title: str
    """Top left: what is open."""
    place: str
    """Top right: model, mode and endpoint."""
    idle: str
    """Bottom left, while nothing runs."""
    totals: str
    """Bottom right."""


class Bars:
    """The texts of the bars, made once for each state of a session and of the settings: the work grows with both."""

    def __init__(self, services: Services) -> None:
        """Say what those services resolve."""
        self._services = services
        self._made: tuple[Session, Settings, BarTexts] | None = None

    def texts(self, session: Session) -> BarTexts:
        """What the bars say of a session."""
        settings = self._services.settings
        if self._made is None or self._made[0] is not session or self._made[1] is not settings:
            self._made = (session, settings, _bar_texts(session, self._services))
        return self._made[2]


def _bar_texts(session: Session, services: Services) -> BarTexts:
    try:
        thinking = "thinking" if services.resolve(session).thinking else "instant"
    except KimiError:
        thinking = "settings cannot be used"
    model = services.settings.model_option or session.model
    return BarTexts(
        title=f"kimi-tui  {session.title or 'new session'}",
        place=f"{model.rpartition('/')[2]} · {thinking} · {services.endpoint}",
        idle=idle_status(session),
        totals=totals(session, services.settings.api.context_tokens),
    )


def welcome_entries(services: Services) -> list[Entry]:
    """What an empty session shows: how to begin, and what is missing."""
    if services.key_problem is not None:
        lines = [services.key_problem.summary, services.key_problem.hint]
        lines.append("Set DEEPINFRA_TOKEN in the environment, or try everything offline: kimi-tui --demo")
        return [notice("welcome", "\n".join(line for line in lines if line), "warning")]
    text = "Type a message and press Enter. F1 shows the keys, Ctrl+P finds a command."
    return [Entry(key="welcome", kind=EntryKind.WELCOME, heading="kimi-tui", text=text)]
