"""What a request gets: decided from its body and its number, so that the same request always gets the same.

The prompt is parsed strictly: a wrong template shows.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from kimi_tui.adapters.endpoint.simulator.simulated_reply import ReplyWords, question_of, words_of, write_reply
from kimi_tui.adapters.endpoint.simulator.simulated_request import Asked, Refusal, read_body
from kimi_tui.adapters.endpoint.simulator.tokens import stopped, tokenise
from kimi_tui.adapters.endpoint.simulator.tour import BROKEN, Break, Fault, fault_of
from kimi_tui.core.prompt.prompt_syntax import Prompt, PromptSyntaxError, parse_prompt
from kimi_tui.core.prompt.raw_prompt import RawInput
from kimi_tui.core.prompt.template import ALL_MARKERS, DEFAULT_TEMPLATE, Template
from kimi_tui.core.prompt.token_estimate import estimate_tokens
from kimi_tui.core.wire.dialect import Dialect, Frame, Twin

USD_PER_INPUT_TOKEN, USD_PER_OUTPUT_TOKEN = 5e-7, 2.8e-6
"""Invented prices, so that the status line has something to show."""
BREAK_TOKENS = 24
"""How far into its part a reply gets that is to break off."""
TRIES = 64
"""How many replies are looked at for one that begins like the open turn: some dozen differ."""
EARLIER_REQUESTS = 200
"""To go on with a reply in a form, the seeds of so many first requests are tried until one's reply begins so."""
SLOWNESS = 6.0
"""How much longer a slow reply takes."""


@dataclass(frozen=True, slots=True)
class SimulatedReply:
    """A reply that is to be played."""

    replies: tuple[tuple[str, ...], ...]
    """The tokens of each; at least one reply."""
    finish_reason: str
    """Either "stop" or "length"."""
    is_streamed: bool
    input_tokens: int
    """Estimated."""
    request_id: str
    thinks: bool = False
    breaks: Break | None = None
    """How the stream breaks off behind its tokens: ERROR, CUT, or None = it ends well."""
    slowness: float = 1.0
    """How much longer than usual each token takes, ≥ 1."""
    mark: str = ""
    """The mark that closes the think block, a token of its own; "" = the template has none."""

    @property
    def output_tokens(self) -> int:
        return sum(len(tokens) for tokens in self.replies)

    @property
    def cost_usd(self) -> float:
        return round(self.input_tokens * USD_PER_INPUT_TOKEN + self.output_tokens * USD_PER_OUTPUT_TOKEN, 8)


def respond(body: bytes, dialect: Dialect, number: int = 0) -> Refusal | SimulatedReply:
    """Decide what a request gets.

    `number` is how many requests came before; it names the request, and varies the words where no seed is sent.
    """
    asked = read_body(body, dialect)
    if isinstance(asked, Refusal):
        return asked
    fields = asked.fields
    request_id = f"sim-{number}"
    if "webhook" in fields:
        return Refusal(200, dialect.twin.write_reply(Frame(is_queued=True, request_id=request_id)))
    try:
        parsed = parse_prompt(asked.prompt)
    except PromptSyntaxError as error:
        return _plan(asked, [_untemplated(asked.prompt, error)], request_id, DEFAULT_TEMPLATE)
    question = question_of(parsed)
    fault = fault_of(words_of(question), len(question.split()))
    is_streamed = fields.get("stream") is True
    form, open_turn = fields.get("response_format"), parsed.open_turn
    is_parted = form is not None and open_turn.is_closed  # its thinking had a request of its own
    is_begun = open_turn.answer or (open_turn.reasoning and not is_parted)
    breaking = None if is_begun else fault  # what is gone on with broke off before
    if breaking is not None and (refusal := _refusal(breaking, dialect.twin, is_streamed=is_streamed)) is not None:
        return refusal
    count = fields.get("num_responses")
    places = range(count if isinstance(count, int) else 1)
    chances = [_chance(fields.get("seed", number), place, question) for place in places]
    replies = [_going_on(parsed, form, chance, fault) for chance in chances]
    slowness = SLOWNESS if fault is None and "slow" in words_of(question) else 1.0
    return _plan(asked, replies, request_id, parsed.template, breaking, slowness=slowness)


def _going_on(parsed: Prompt, form: object, chance: tuple[str, int], fault: Fault | None) -> ReplyWords:
    """Say what follows the open turn: of the replies that chance has, one that begins so, as a model would go on."""
    seed, variant = chance

    def tried(chance: tuple[str, int]) -> ReplyWords:
        return write_reply(parsed, form, random.Random(chance[0]), fault, chance[1])

    chances = [(seed + "+" * number, variant + number) for number in range(TRIES)]
    if form is not None and parsed.open_turn.answer:  # of these chance has more than some dozen
        chances += [_chance(number, 0, question_of(parsed)) for number in range(EARLIER_REQUESTS)]
    fitting = (reply for reply in map(tried, chances) if reply.begins_with(parsed.open_turn))
    return next(fitting, tried(chance)).behind(parsed.open_turn)


def _chance(seed: object, place: int, question: str) -> tuple[str, int]:
    """Of the reply in a place among several; `seed` = the request's own, else its number."""
    return f"{seed}/{place}/{question}", place + (seed if isinstance(seed, int) else 0)


def _untemplated(prompt: str, error: PromptSyntaxError) -> ReplyWords:
    """Say what is wrong with a prompt, as an answer to whoever left a think block open or not."""
    is_inside = RawInput(prompt, DEFAULT_TEMPLATE).tail.end.is_inside
    reasoning = "I cannot read this prompt, so I say where it went wrong." if is_inside else None
    text = (
        "I am the offline simulator, and I read only prompts that follow the endpoint's input format. "
        f"This one does not: {error}.\n"
    )
    # The error names markers; as they stand they would end this very reply.
    return ReplyWords(reasoning, ALL_MARKERS.encode(text))


def _refusal(fault: Fault, twin: Twin, *, is_streamed: bool) -> Refusal | None:
    """What fails before the reply; without a stream there is no middle to fail in."""
    if fault.status is not None:
        return Refusal(fault.status, twin.write_error(fault.message))
    if fault.breaks in {Break.ERROR, Break.CUT} and not is_streamed:
        return Refusal(500, twin.write_error(BROKEN))
    return None


def _plan(
    asked: Asked,
    replies: list[ReplyWords],
    request_id: str,
    template: Template,
    fault: Fault | None = None,
    *,
    slowness: float = 1.0,
) -> SimulatedReply:
    mark = template.think.close if template.think else ""
    played = [_play(reply, mark, asked.fields, fault.breaks if fault is not None else None) for reply in replies]
    return SimulatedReply(
        tuple(tokens for tokens, _ in played),
        "length" if any(end is Break.LENGTH for _, end in played) else "stop",
        asked.fields.get("stream") is True,
        max(estimate_tokens(asked.prompt), 1),
        request_id,
        replies[0].reasoning is not None,
        next((end for _, end in played if end in {Break.ERROR, Break.CUT}), None),
        slowness,
        mark,
    )


def _play(
    reply: ReplyWords, mark: str, fields: Mapping[str, object], breaks: Break | None
) -> tuple[tuple[str, ...], Break | None]:
    """The tokens of a reply and how it breaks off: LENGTH, ERROR, CUT, or None = it does not."""
    reasoning = "" if reply.reasoning is None else reply.reasoning + mark
    stops, most = fields.get("stop"), fields.get("max_new_tokens")
    tokens = tokenise(stopped(reasoning + reply.answer, stops if isinstance(stops, list) else []), mark)
    end: Break | None = None
    if breaks is not None:
        place = BREAK_TOKENS + (0 if breaks is Break.UNFINISHED else len(tokenise(reasoning, mark)))
        if len(tokens) > place:
            tokens, end = tokens[:place], Break.LENGTH if breaks is Break.UNFINISHED else breaks
    if isinstance(most, int) and len(tokens) > most:
        tokens, end = tokens[:most], Break.LENGTH
    return tokens, end
