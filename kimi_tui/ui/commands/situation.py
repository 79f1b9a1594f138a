"""What can be done at the moment: what there is for actions to work on, and the hints of the footer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace

from kimi_tui.core.prompt.leaving_out import OverBudget
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.interventions import can_be_undone
from kimi_tui.core.settings.actions import ACTIONS, BY_ID, MESSAGE_OFFERS, Action, Need, Scope
from kimi_tui.core.settings.keymap import KeyTable
from kimi_tui.core.settings.settings import Settings
from kimi_tui.core.text.dotted import SEPARATOR, dotted
from kimi_tui.core.wire.fields import SETTABLE
from kimi_tui.ui.panes.drafts import Drafts
from kimi_tui.ui.state.open_chat import Chat
from kimi_tui.ui.text.fit import first_fitting
from kimi_tui.ui.transcript.transcript_widget import Transcript

ALWAYS = ("help", "palette")
"""Their hints stand last, wherever the focus is."""
EVERYWHERE = "open-copy"
"""Its hint stands wherever the focus is, while it can be done."""
BETWEEN = ("previous-request", "next-request")
"""Both go before the others where requests lie on both sides; one alone stands behind the first of its place."""
EDITS = ("edit", "edit-thinking")
"""They can be begun while a reply runs, but not on that reply."""
OWN_FIRST = 3
"""How many hints of a place go before the palette's, where there is no room for both; words about editing all do."""


def offers(chat: Chat, transcript: Transcript, drafts: Drafts, *, is_finding: bool) -> set[Need]:
    """What there is for actions to work on."""
    chosen = transcript.cursor.chosen
    target = chat.target(chosen)
    found = set[Need]()
    if target is not None:
        found |= {need for need, holds in MESSAGE_OFFERS.items() if holds(target)}
        found |= {Need.CODE} if "```" in target.content and transcript.code.has_any(target.id) else set()
        found |= {Need.LINK} if "://" in target.content and transcript.links.has_any(target.id) else set()
    found |= {Need.REPLY} if chat.reply_at(chosen) is not None else set()
    found |= {Need.SHOWN} if chat.branch else set()
    if (key := chat.shown_key(chosen)) is not None:
        found.add(Need.TEXT)
        place, count = chat.place_among_alternatives(key)
        found |= {Need.EARLIER} if place > 1 else set()
        found |= {Need.LATER} if place < count else set()
    found |= {Need.RUNNING} if chat.replies.turn is not None else set()
    is_thinking = chat.replies.turn is not None and chat.replies.turn.reply.is_thinking
    found |= {Need.THINKING} if is_thinking or drafts.edited_part is ReplyPart.REASONING else set()
    found |= {Need.EDIT} if drafts.edited_part is not None else set()
    found |= {Need.BESIDE} if chat.replies.has_others else set()
    is_undoable = bool(chat.tree_steps) or (
        target is not None and (can_be_undone(target) or target.begun is not None or chat.hides_reply_to(target))
    )
    found |= {Need.UNDOABLE} if is_undoable else set()
    found |= {Need.WAITING} if any(running.live.retry is not None for running in chat.replies.running) else set()
    found |= {Need.NOTICE} if chat.notices else set()
    found |= {Need.HELD_BY_OTHERS} if chat.held.is_free is not None else set()
    found |= {Need.FINDING} if is_finding else set()
    return found


def refusal(action: Action, offered: Set[Need]) -> str:
    """Why an action cannot be done now; "" = it can."""
    if action.waits and Need.RUNNING in offered:
        return f"{action.title}: a reply is running; stop it first."
    need = action.missing(offered)
    if need is not None and action.id in EDITS and Need.RUNNING in offered:
        return f"{action.title}: a reply is running; stop it first."
    return "" if need is None else f"{action.title}: there is no {need.value} here."


def hints(
    scope: Scope,
    offered: Set[Need],
    keymap: KeyTable,
    width: int,
    *,
    instead: str = "",
    words_now: Mapping[str, str] = {},
) -> str:
    """The footer: what keys do in `scope`, where the focus is, as far as `width` cells have room.

    `instead` is what the widget with the focus says of its keys; "" = the registry's words. `words_now` are what
    actions mean now where that is something else than the registry's word, by id; "" = nothing.
    """
    here = [action for action in ACTIONS if action.scope is scope or action.id == EVERYWHERE]
    own = [action for action in here if action.hint or (words_now.get(action.id) and action.id != "back")]
    own = [action for action in own if not refusal(action, offered) and action.id not in ALWAYS]
    own = [replace(action, hint=words_now.get(action.id, action.hint)) for action in own]
    own = [action for action in own if action.hint]
    next_ids = BETWEEN if {action.id for action in own} >= {*BETWEEN} else ("copy-prompt", *BETWEEN)
    places = {id_: place for place, id_ in enumerate(next_ids)}
    own.sort(key=lambda action: (not action.hint_goes_first, places.get(action.id, len(places))))
    is_home = scope in {Scope.COMPOSER, Scope.TRANSCRIPT, Scope.SCREEN}
    back = "stop" if Need.RUNNING in offered and is_home else "" if scope is Scope.COMPOSER else "back"
    back = words_now.get("back", back)
    first = [f"{label} {back}"] if back and (label := keymap.label("back")) else []
    for id_, need in (("try-now", Need.WAITING), ("side-by-side", Need.BESIDE)):
        if is_home and need in offered and (word := keymap.hint(BY_ID[id_])):
            first.append(word)
    last = [word for action in ACTIONS if action.id in ALWAYS and (word := keymap.hint(action))]
    words = [word for word in (*first, *(keymap.hint(action) for action in own)) if word]
    if instead:  # words about editing name their own way out
        words = [*(() if "Escape" in instead else first), *instead.split(SEPARATOR)]
    return _fitting(words, last, width, is_editing=bool(instead))


def _fitting(own: Sequence[str], last: Sequence[str], width: int, *, is_editing: bool) -> str:
    """Of a place's own hints the last go first, before a few of them the palette's does."""
    forms = list[str]()
    for count in range(len(own), -1, -1):
        ends = [last, last[1:]] if count <= OWN_FIRST or is_editing else [last]
        forms += [dotted(*own[:count], *end) for end in ([*ends, ()] if is_editing else ends)]
    return first_fitting([*forms, dotted(*last[-1:])], width)


def choices(settings: Settings, themes: Iterable[str]) -> dict[str, Sequence[str]]:
    """What may stand behind commands, by the command's id."""
    presets = list(settings.presets)
    own = [name for name in presets if name in settings.saved_presets]
    return {
        "think": ("on", "off"),
        "free-thinking": ("on", "off"),
        "schema": ("off",),
        "kept-thinking": ("none", "all"),
        "over-budget": tuple(OverBudget),
        "set": tuple(settings.dialect.fields),
        "reset": SETTABLE,
        "system": ("none",),
        "preset": presets,
        "rename-preset": own,
        "delete-preset": own,
        "theme": sorted(themes),
        "copy": ("text", "markdown"),
    }
