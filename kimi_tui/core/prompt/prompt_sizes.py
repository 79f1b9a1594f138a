"""How many tokens each part of a prompt has: exact where the endpoint has told, calibrated estimates elsewhere.

What a past request counted is the size of a beginning of the prompt, up to the open turn that it ended with. The parts
between two such beginnings share the difference: that is exact, and so is a part which stands there alone. A marker is
one token by what it is, and the name of the assistant's role is taken to be one too: it is a common word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from kimi_tui.core.prompt.calibration import wrote_alone
from kimi_tui.core.prompt.context_budget import CountedPrefix
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.prompt_syntax import write_open_turn
from kimi_tui.core.prompt.prompt_writer import PartKind, PromptPart
from kimi_tui.core.prompt.template import Template
from kimi_tui.core.prompt.token_estimate import Calibration
from kimi_tui.core.session.session import NO_USAGE, Message

NAME_TOKENS = 1


@dataclass(frozen=True, slots=True)
class PartSize:
    tokens: int
    is_told: bool = False
    """Whether the endpoint has told it; else it is estimated."""
    sum_told: int | None = None
    """Tokens of the prompt up to its end, as the endpoint told them; None = it counted no input that ended there."""
    thinking_tokens: int = 0
    """How many of them its thinking takes, estimated."""


def estimated_size(part: PromptPart, template: Template, calibration: Calibration) -> PartSize:
    if part.kind is PartKind.OPEN and (tokens := opening_tokens(part.text, template)) is not None:
        return PartSize(tokens)
    thinking = calibration.size(part.thinking_counts) if part.thinking else 0
    return PartSize(calibration.size(part.counts), thinking_tokens=thinking)


def sizes_of(
    parts: Sequence[PromptPart],
    counted: Iterable[CountedPrefix],
    template: Template,
    calibration: Calibration,
    messages: Mapping[str, Message],
) -> tuple[PartSize, ...]:
    """The sizes of parts that follow one another from the prompt's beginning; `messages` are theirs, by id."""
    sizes = [estimated_size(part, template, calibration) for part in parts]
    borders = _borders(parts, counted, template)
    for (start, before), (end, behind) in pairwise([(0, 0), *borders]):
        known = [_known_size(part, template, messages) for part in parts[start:end]]
        sizes[start:end] = _shared(behind - before, sizes[start:end], known)
    for place, tokens in borders:
        sizes[place - 1] = replace(sizes[place - 1], sum_told=tokens)
    return tuple(sizes)


def _borders(
    parts: Sequence[PromptPart], counted: Iterable[CountedPrefix], template: Template
) -> list[tuple[int, int]]:
    """The parts that counted beginnings end before, in order, each with the tokens of all that stands before it.

    None where they cannot be: then somebody counted something else.
    """
    starts = {chars: place for place, chars in enumerate(accumulate((len(part.text) for part in parts), initial=0))}
    found = dict[int, int]()
    for prefix in counted:
        place, opening = starts.get(prefix.chars - len(prefix.opening)), opening_tokens(prefix.opening, template)
        if place and opening is not None:
            found.setdefault(place, prefix.tokens - opening)
    borders = sorted(found.items())
    is_sane = all(behind - before >= end - start for (start, before), (end, behind) in pairwise([(0, 0), *borders]))
    return borders if is_sane else []


def opening_tokens(opening: str, template: Template) -> int | None:
    """What an open turn takes that holds no text; None = it holds some."""
    ways = {True} if template.think is None else {True, False}
    plain = {write_open_turn(OpenTurn(is_closed=is_closed), template) for is_closed in ways}
    return len(template.markers.exact.findall(opening)) + NAME_TOKENS if opening in plain else None


def _known_size(part: PromptPart, template: Template, messages: Mapping[str, Message]) -> tuple[int, bool] | None:
    """The size of a reply whose own tokens were told, and whether all of them stand in the part.

    The end of the turn, which the reply ended with, is taken to be one of them. None = they were not told.
    """
    reply = messages.get(part.message_id or "")
    if reply is None or not wrote_alone(reply) or reply.begun is not None or template.separator:
        return None
    tokens = (reply.usage or NO_USAGE).output_tokens
    is_whole = bool(part.thinking) or not reply.reasoning
    if not tokens or (not is_whole and reply.thinking_tokens is None):
        return None
    opening = write_open_turn(OpenTurn(is_closed=template.think is None or not part.thinking), template)
    thought = 0 if is_whole else (reply.thinking_tokens or 0) + 1  # and the mark that closed it
    frame = opening_tokens(opening, template) or 0
    return max(tokens - thought, 1) + frame, is_whole


def _shared(tokens: int, estimated: Sequence[PartSize], known: Sequence[tuple[int, bool] | None]) -> Iterable[PartSize]:
    """Let parts have so many tokens together: what is known of one stays, the others share by their estimates."""
    if len(estimated) == 1:
        return [replace(estimated[0], tokens=tokens, is_told=True)]
    open_places = [place for place, size in enumerate(known) if size is None]
    rest = tokens - sum(size[0] for size in known if size is not None)
    if not open_places or rest < len(open_places):
        open_places, rest, known = list(range(len(known))), tokens, [None] * len(known)
    is_alone = len(open_places) == 1 and all(size[1] for size in known if size is not None)
    weights = [estimated[place].tokens for place in open_places]
    ends = [round(rest * end / max(sum(weights), 1)) for end in accumulate(weights, initial=0)]
    shares = dict(zip(open_places, (behind - before for before, behind in pairwise(ends)), strict=True))
    return [
        replace(size, tokens=shares[place], is_told=is_alone)
        if (fixed := known[place]) is None
        else replace(size, tokens=fixed[0], is_told=fixed[1])
        for place, size in enumerate(estimated)
    ]
