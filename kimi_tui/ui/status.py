"""The words of the status line and of an empty session."""

from __future__ import annotations

from kimi_tui.core import conversation
from kimi_tui.core.session import Role, Session
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


def right_status(session: Session, used_tokens: int, window_tokens: int) -> str:
    """The context meter, and the cost as the endpoint reported it."""
    last = next((m.usage for m in reversed(session.messages) if m.usage), None)
    counted = last.input_tokens if last else None
    context = (
        f"{words.count(counted + (last.output_tokens or 0))}" if last and counted else f"~{words.count(used_tokens)}"
    )
    share = ((counted or 0) + (last.output_tokens or 0) if last and counted else used_tokens) / window_tokens
    parts = [f"context {context}/{words.count(window_tokens)} {meter(share)}"]
    total = words.total_usage(session.messages)
    if last and last.cost_usd is not None:
        parts.append(f"turn {words.dollars(last.cost_usd)}")
    if total.cost_usd is not None:
        parts.append(f"session {words.dollars(total.cost_usd)}")
    return " · ".join(parts)


def welcome_entries(services: Services) -> list[Entry]:
    """What an empty session shows: how to begin, and what is missing."""
    if services.key_problem is not None:
        lines = [services.key_problem.summary, services.key_problem.hint]
        lines.append("Set DEEPINFRA_TOKEN in the environment, or try everything offline: kimi-tui --demo")
        return [notice("welcome", "\n".join(line for line in lines if line), "warning")]
    text = "Type a message and press Enter. F1 shows the keys, Ctrl+P finds a command."
    return [Entry(key="welcome", kind=EntryKind.WELCOME, heading="kimi-tui", text=text)]
