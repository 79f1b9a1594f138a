"""A reply read to its end, with the texts that the program would make of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kimi_tui.core.errors import CompletionError
from kimi_tui.core.prompt.open_prompt import OpenPrompt
from kimi_tui.core.prompt.open_turn import PromptEnd
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE, ThinkMarks
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import MessageState, Usage
from kimi_tui.core.text.growing_text import GrowingText
from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.dialect import Dialect
from kimi_tui.core.wire.reply import ReplyBuilder


@dataclass(frozen=True)
class ReplyText:
    """One reply: None = there was no reasoning, since it was asked for outside of a think block and opened none."""

    reasoning: str | None
    content: str
    is_thought_out: bool = False


@dataclass(frozen=True)
class Read:
    replies: tuple[ReplyText, ...]
    state: MessageState
    finish_reason: str | None = None
    usage: Usage = Usage()  # noqa: RUF009 - frozen
    request_id: str | None = None
    error: CompletionError | None = None


def read_reply(builder: ReplyBuilder, pieces: Iterable[bytes], failure: CompletionError | None = None) -> Read:
    began_thinking = builder.is_thinking
    counted = [segment for piece in pieces for segment in builder.feed(piece)]
    if failure is not None:
        builder.fail(failure)
    rest, result = builder.close()
    texts = dict.fromkeys(ReplyPart, "")
    for each in counted + rest:
        texts[each.part] += each.text
    streamed = (
        [(texts[ReplyPart.REASONING], texts[ReplyPart.ANSWER], builder.is_thinking)] if any(texts.values()) else []
    )
    found = streamed or [(whole.reasoning, whole.content, whole.is_thinking) for whole in result.whole]
    replies = [
        ReplyText(reasoning if has_block else None, content, has_block and not is_thinking and not content)
        for reasoning, content, is_thinking in found
        for has_block in [began_thinking or bool(reasoning)]
    ]
    return Read(tuple(replies), result.state, result.finish_reason, result.usage, result.request_id, result.error)


def builder_of(
    prompt: str = "",
    end: PromptEnd = PromptEnd.THINKING,
    *,
    dialect: Dialect = DEEPINFRA,
    marks: ThinkMarks | None = DEFAULT_TEMPLATE.think,
    reasoning: str = "",
    is_event_stream: bool = True,
) -> ReplyBuilder:
    """What reads the reply to a prompt."""
    opened = OpenPrompt(GrowingText(prompt), end, marks, reasoning)
    return ReplyBuilder(dialect, opened, is_event_stream=is_event_stream)
