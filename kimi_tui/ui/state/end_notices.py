"""What has to be said of a turn that ended other than usual, and which actions are offered then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kimi_tui.core.session.endings import ended_inside_reasoning
from kimi_tui.core.wire.turn_events import Phase, TurnEnded

TEXT_IS_BACK = "Your text is back in the composer."


@dataclass(frozen=True, slots=True)
class Offer:
    action_id: str
    """Its id, which is its slash command too; its key holds where the message is chosen."""
    what: str
    """What it does: a verb and more, behind its key and its command."""

    def words(self, label: Callable[[str], str]) -> str:
        """Write it; `label` gives an action's key as it is shown, "" = it has none."""
        key = label(self.action_id)
        return f"{f'{key} on it or ' if key else ''}/{self.action_id} {self.what}"


ONCE_MORE = (Offer("regenerate", "asks for another reply"),)
"""What is offered where a part of a reply is kept."""
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
        return "\n".join(line for line in (f"{self.text}{f'{offered}.' if offered else ''}", self.hint) if line)


def end_notices(ended: TurnEnded, *, has_text_back: bool) -> list[EndNotice]:
    """With `has_text_back`, its question is back in the composer where no reply came.

    What is not saved is told elsewhere, for as long as it is not.
    """
    kept, offers = ("", AGAIN) if not has_text_back else (TEXT_IS_BACK, ())
    if ended.replies:
        kept, offers = "What arrived is kept; ", ONCE_MORE
    found: list[EndNotice] = []
    if ended.error is not None:
        found.append(EndNotice("error", f"{ended.error.summary}\n{kept}", offers, ended.error.hint))
    elif ended.phase is Phase.STOPPED:
        if not ended.replies:
            found.append(EndNotice("info", f"Stopped before anything arrived. {kept}", offers))
    elif ended.replies and ended_inside_reasoning(ended.replies[0]):
        way = "Raise max_new_tokens" if ended.replies[0].finish_reason == "length" else "Ask for another reply"
        found.append(EndNotice("warning", f"The reply ended inside its thinking. {way}, or ask with /think off."))
    return found
