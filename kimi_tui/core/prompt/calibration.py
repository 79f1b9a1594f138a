"""Estimates of tokens, calibrated by what the endpoint told for the newest turns of the same session.

Two rates are fitted, tokens to a byte and tokens to a CJK character, by least squares over what was told (ridge
regression towards the usual rates, so that little data moves them little). Markers are one token each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kimi_tui.core.prompt.context_budget import counted_input
from kimi_tui.core.prompt.prompt_writer import PromptWriter, past_parts
from kimi_tui.core.prompt.token_estimate import (
    PER_BYTE_ENDS,
    PER_IDEOGRAPH_ENDS,
    UNCALIBRATED,
    USUAL_PER_BYTE,
    USUAL_PER_IDEOGRAPH,
    Calibration,
    TextCounts,
    counts_of,
)
from kimi_tui.core.session import tree
from kimi_tui.core.session.endings import ORDINARY_REASONS
from kimi_tui.core.session.session import NO_USAGE, Message, MessageState, Role, Session

MAX_SAMPLES = 16
MAX_CHARS = 50_000
"""So much text of the newest turns is looked at, which takes few milliseconds."""
ODD_RATIO = 5.0
"""What is told to be so many times more or less than estimated is of something else, and is left aside."""
PRIOR_TOKENS = 40.0
"""How many tokens the usual rates weigh as much as."""


@dataclass(frozen=True, slots=True)
class Sample:
    counts: TextCounts
    told: int
    """Its tokens, as the endpoint counted them."""


def calibration_of(session: Session, branch: Sequence[Message] | None = None) -> Calibration:
    """Calibrate by the newest turns of the active branch; `branch` = its messages, where they are known."""
    return calibrate(samples_of(session, tree.branch(session) if branch is None else branch))


def calibrate(samples: Iterable[Sample]) -> Calibration:
    """Fit the rates; each sample weighs by its size."""
    bytes_bytes, bytes_cjk = PRIOR_TOKENS / USUAL_PER_BYTE**2, 0.0
    cjk_cjk = PRIOR_TOKENS / USUAL_PER_IDEOGRAPH**2
    bytes_told, cjk_told = bytes_bytes * USUAL_PER_BYTE, cjk_cjk * USUAL_PER_IDEOGRAPH
    for sample in samples:
        counts, usual = sample.counts, UNCALIBRATED.of(sample.counts)
        told = sample.told - counts.markers
        if usual <= 0 or not usual / ODD_RATIO <= sample.told <= usual * ODD_RATIO:
            continue
        bytes_bytes += counts.other_bytes**2 / usual
        cjk_cjk += counts.ideographs**2 / usual
        bytes_cjk += counts.other_bytes * counts.ideographs / usual
        bytes_told += counts.other_bytes * told / usual
        cjk_told += counts.ideographs * told / usual
    # The two normal equations, by Cramer's rule; the prior keeps their determinant above 0.
    determinant = bytes_bytes * cjk_cjk - bytes_cjk**2
    per_byte = (bytes_told * cjk_cjk - cjk_told * bytes_cjk) / determinant
    per_ideograph = (cjk_told * bytes_bytes - bytes_told * bytes_cjk) / determinant
    return Calibration(_clamped(per_byte, PER_BYTE_ENDS), _clamped(per_ideograph, PER_IDEOGRAPH_ENDS))


def _clamped(rate: float, ends: tuple[float, float]) -> float:
    return min(max(rate, ends[0]), ends[1])


def samples_of(session: Session, branch: Sequence[Message]) -> Iterator[Sample]:
    """What the endpoint told of the newest turns: of replies, and of what came to the input between two of them."""
    room, found = MAX_CHARS, 0
    later: tuple[int, Message] | None = None  # the reply after the one that is looked at, as far as it was counted
    for place in reversed(range(len(branch))):
        reply = branch[place]
        if reply.role is not Role.ASSISTANT:
            continue
        if found >= MAX_SAMPLES or room <= 0:
            return
        if (output := _output(reply)) is not None:
            room -= len(output[0])
            found += 1
            if room >= 0:
                yield Sample(counts_of(output[0]), output[1])
        counted = counted_input(reply)
        if later is not None and counted and (between := _between(session, branch[place : later[0]], later[1])):
            told = (counted_input(later[1]) or 0) - counted
            room -= sum(map(len, between))
            found += 1
            if room >= 0 and told > 0:
                yield Sample(counts_of(*between), told)
        later = (place, reply) if counted else None
    if later is not None and room > 0 and sum(len(message.content) for message in branch[: later[0]]) <= room:
        parts = past_parts(replace(session, head=later[1].parent), later[1])
        yield Sample(counts_of(*(part.text for part in parts)), counted_input(later[1]) or 0)


def wrote_alone(reply: Message) -> bool:
    """Whether a reply is all that its one request wrote, which ended by itself."""
    is_whole = reply.state is MessageState.COMPLETE and reply.finish_reason in ORDINARY_REASONS
    has_others = (reply.sent or {}).get("num_responses", 1) not in {None, 1}
    return is_whole and not has_others and not reply.requests and not reply.edited


def _output(reply: Message) -> tuple[str, int] | None:
    """All that one request wrote, and its tokens as they were told; None = they were not, or are of more."""
    usage = reply.usage or NO_USAGE
    if not usage.output_tokens or not wrote_alone(reply) or reply.begun is not None:
        return None
    return (reply.reasoning or "") + reply.content, usage.output_tokens


def _between(session: Session, messages: Sequence[Message], reply: Message) -> Sequence[str]:
    """What the input of a reply has beyond that of the first of the messages before it; () = they differ elsewhere.

    How the two open turns end is the same then, so that it is in neither.
    """
    first = messages[0]
    ways = [PromptWriter.of_past(session, it) for it in (first, reply)]
    is_alike = ways[0] == ways[1] and not ways[0].kept_thinking and first.thinking == reply.thinking
    if not is_alike or first.begun is not None or reply.begun is not None:
        return ()
    parts = map(ways[1].message_part, messages)
    return [part.text for part in parts if part is not None]
