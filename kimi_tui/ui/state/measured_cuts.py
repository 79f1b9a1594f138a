"""Where the next request is cut for want of room, with what is being typed: decided as the engine decides it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kimi_tui.core.errors import KimiError
from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.prompt.request_settings import RequestSettings
from kimi_tui.core.prompt.token_estimate import SAMPLE_CHARS
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import before, before_question
from kimi_tui.core.settings.sampling import RequestOptions
from kimi_tui.ui.state.next_cut import NO_CUT, NextCut
from kimi_tui.ui.state.open_chat import Chat

if TYPE_CHECKING:  # the names of types only: the first frame needs none of these modules
    from kimi_tui.core.prompt.next_cuts import NextCuts


Resolve = Callable[[Session, RequestOptions], RequestSettings]
"""The settings of a session's request; raises KimiError where they cannot be used."""


@dataclass(frozen=True, slots=True)
class Typed:
    text: str = ""
    """The question; "" = none."""
    edited: str | None = None
    """Id of the question in whose place it is asked; None = it follows what is there."""


NOTHING_TYPED = Typed()


def measured_cut(resolve: Resolve, chat: Chat, typed: Typed) -> NextCut:
    """`NO_CUT` where the session's settings cannot be used: nothing is sent then.

    It measures again what has changed: a key costs the same in a long conversation as in a short one. Of a chat that is
    not on screen yet this may be asked in a thread.
    """
    try:
        request = resolve(chat.session, chat.next_reply.options)
    except KimiError:
        return NO_CUT
    if request.over_budget is OverBudget.REFUSE:
        return NO_CUT
    cuts = _next_cuts(chat, typed, request)
    tail = [cuts.writer.open_part(request.open_turn_of(chat.next_reply.start))]
    is_sampled = len(typed.text) > SAMPLE_CHARS
    if typed.text and not is_sampled:
        tail.append(cuts.writer.draft_part(typed.text))
    place = cuts.cut(tail, cuts.calibration.tokens(typed.text) if is_sampled else 0)
    room = chat.room
    if room.found is None or room.found[:2] != (cuts, place):
        room.found = cuts, place, _next_cut(cuts, place)
    return room.found[2]


def _next_cuts(chat: Chat, typed: Typed, request: RequestSettings) -> NextCuts:
    from kimi_tui.core.prompt.next_cuts import BranchSizes  # noqa: PLC0415 - few sessions can be cut

    room = chat.room
    sizes = room.sizes = BranchSizes.of(_asked_in(chat, typed), request, room.sizes)
    if not typed.text:
        return sizes.next_cuts(request)
    # The question that is answered now stands before the next one.
    is_whole = chat.replies.turn is not None or typed.edited is not None
    return sizes.next_cuts(request, sizes.messages if is_whole else before_question(sizes.messages))


def _asked_in(chat: Chat, typed: Typed) -> Session:
    """The session as it is asked in: it ends before a question that is edited, and is the same value while it may."""
    room, edited = chat.room, typed.edited
    if edited is None:
        return chat.session
    if room.asked is None or room.asked[0] is not chat.session or room.asked[1] != edited:
        is_there = chat.session.find(edited) is not None
        room.asked = chat.session, edited, before(chat.session, edited) if is_there else chat.session
    return room.asked[2]


def _next_cut(cuts: NextCuts, place: int) -> NextCut:
    sending = cuts.behind(place)
    if cuts.turns is None or not sending.left_out:
        return NO_CUT
    has_pinned = any(map(sending.writer.sends, cuts.messages[:place]))
    return NextCut(place, sending.writer.left_out, len(sending.left_out), has_pinned, cuts.turns.last)
