"""Conversations that other programs wrote: lists of {"role", "content"}, as plain data in, messages out.

The list may stand alone, below "messages" in an object (the body of a chat request), or be JSON Lines, a message a
line. Shapes are those of chat endpoints: content as text, null or a list of parts, reasoning in a key of its own or in
a leading think block. What would be lost is refused where it belongs to the conversation (images, calls of tools), and
named otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kimi_tui.core.errors import UsageError
from kimi_tui.core.prompt.neutralise import TextDoor
from kimi_tui.core.prompt.open_turn import PromptEnd
from kimi_tui.core.prompt.prompt_syntax import PromptTurn
from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.kept_thinking import KeptThinking, first_kept
from kimi_tui.core.session.session import Role
from kimi_tui.core.text.quoting import quoted
from kimi_tui.core.wire.think import ThinkSplitter

OTHER_ROLES: Mapping[str, Role] = {"developer": Role.SYSTEM}
"""Names that other programs give to our roles."""
TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
"""Types of the parts of a content that are nothing but text."""
REASONING_KEYS = ("reasoning", "reasoning_content", "thinking")
"""Where servers put the reasoning of a reply."""
LOST_KEYS = ("tool_calls", "function_call", "tool_call_id", "images", "audio", "refusal")
"""What belongs to a conversation, and has no place in one of ours."""
EXAMPLE = 'Such as [{"role": "user", "content": "Hello"}].'
"""What to do about something that is no list."""


@dataclass(frozen=True, slots=True)
class ListedMessage:
    role: Role
    content: str
    """The text, exactly; of a reply, what stands behind its think block."""
    reasoning: str | None = None
    is_thought_out: bool = False
    """Whether the think block was closed although no answer follows."""


@dataclass(frozen=True, slots=True)
class MessageList:
    messages: tuple[ListedMessage, ...]
    not_taken: tuple[str, ...] = ()
    """Places of what was left aside, such as "temperature" or "messages[0].name", each key once."""

    def turns(self, door: TextDoor, kept_thinking: KeptThinking = 0) -> tuple[PromptTurn, ...]:
        """The last replies stand there with their reasoning, as many as are to be kept."""
        replies = [place for place, message in enumerate(self.messages) if message.role is Role.ASSISTANT]
        first = first_kept(len(replies), kept_thinking) if door.template.think is not None else len(replies)
        kept = frozenset(replies[first:])
        return tuple(
            PromptTurn(
                message.role,
                door.foreign(message.content),
                door.own_reasoning((message.reasoning or "") if place in kept else ""),
            )
            for place, message in enumerate(self.messages)
        )

    @property
    def words_for_rest(self) -> str:
        """What is told of what was left aside; "" = nothing was."""
        return f"not taken: {', '.join(self.not_taken)}" if self.not_taken else ""


def is_message_list(data: object) -> bool:
    """Whether plain data is meant as a list of messages, and not as a session."""
    if not isinstance(data, dict):
        return isinstance(data, list)
    # A session holds "messages" too; one that lost its first line still says its version.
    return not {"format", "version"} & data.keys() and ("messages" in data or {"role", "content"} <= data.keys())


def read_message_list(data: object) -> MessageList:
    """Read a list of messages: {"role", "content"[, "reasoning"]}, and what other programs make of it.

    Raises UsageError where it is no such list, or holds what would be lost; the message names the place.
    """
    items, around = _items(data)
    rest = dict.fromkeys(key for key, value in around.items() if value is not None)
    seen, messages = set[str](), []
    for place, item in enumerate(items):
        where = f"messages[{place}]"
        if not isinstance(item, dict):
            raise UsageError(f"{where}: found {quoted(item)}, an object is needed.")
        messages.append(_message(item, where))
        unknown = [key for key in _unknown(item) if key not in seen]
        seen.update(unknown)
        rest |= dict.fromkeys(f"{where}.{key}" for key in unknown)
    return MessageList(tuple(messages), tuple(rest))


def _items(data: object) -> tuple[list[Any], Mapping[str, object]]:
    if isinstance(data, dict) and "messages" not in data and "role" in data:
        return [data], {}  # the only line of JSON Lines
    items = data.get("messages") if isinstance(data, dict) else data
    if not isinstance(items, list):
        raise UsageError("A conversation has to be a list of messages.", EXAMPLE)
    return items, {key: value for key, value in data.items() if key != "messages"} if isinstance(data, dict) else {}


def _unknown(item: Mapping[str, object]) -> Iterator[str]:
    known = {"role", "content", *REASONING_KEYS, *LOST_KEYS}
    return (key for key, value in item.items() if key not in known and value is not None)


def _message(item: Mapping[str, object], where: str) -> ListedMessage:
    role = _role(item, where)
    for key in LOST_KEYS:
        if item.get(key):
            raise UsageError(f"{where}.{key}: a conversation here holds nothing but texts.", "Take the key out.")
    key, reasoning = _reasoning(item, where)
    if "content" not in item and not reasoning:
        raise UsageError(f"{where}.content: found nothing, allowed a string, null, or a list of text parts.")
    content = _content(item.get("content"), f"{where}.content")
    if role is not Role.ASSISTANT:
        if reasoning:
            raise UsageError(f"{where}.{key}: only the assistant has reasoning.", "Take the key out.")
        return ListedMessage(role, content)
    thought, answer, is_closed = _split(content)
    if thought and reasoning and thought.strip() != reasoning.strip():
        raise UsageError(f"{where}: {key} says something else than the think block of its content.", "Take one out.")
    return ListedMessage(role, answer, reasoning or thought or None, bool(thought) and is_closed and not answer)


def _role(item: Mapping[str, object], where: str) -> Role:
    role = item.get("role")
    if isinstance(role, str) and role in OTHER_ROLES:
        return OTHER_ROLES[role]
    if not isinstance(role, str) or role not in set(Role):
        if "messages" in item:
            raise UsageError(f"{where}: is a conversation of its own; one is taken at a time.")
        found = quoted(role) if "role" in item else "nothing"
        raise UsageError(f"{where}.role: found {found}, allowed {', '.join((*Role, *OTHER_ROLES))}.")
    return Role(role)


def _reasoning(item: Mapping[str, object], where: str) -> tuple[str, str]:
    """The reasoning, and the key that it stands in; ("", "") = there is none."""
    found: dict[str, str] = {}
    for key in REASONING_KEYS:
        value = item.get(key)
        if not isinstance(value, str | None):
            raise UsageError(f"{where}.{key}: found {quoted(value)}, allowed a string, or null.")
        if value:
            found[key] = value
    if len(set(found.values())) > 1:
        raise UsageError(f"{where}: {' and '.join(found)} say different things.", "Take one out.")
    return next(iter(found.items()), ("", ""))


def _content(content: object, where: str) -> str:
    """The text of a content; parts follow one another with nothing between, as the model's own template has them."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise UsageError(f"{where}: found {quoted(content)}, allowed a string, null, or a list of text parts.")
    return "".join(_part(part, f"{where}[{place}]") for place, part in enumerate(content))


def _part(part: object, where: str) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        raise UsageError(f"{where}: found {quoted(part)}, allowed a text part.")
    kind, text = part.get("type", "text"), part.get("text")
    if kind not in TEXT_PARTS:
        raise UsageError(f"{where}.type: found {quoted(kind)}, allowed text: only texts can be sent.")
    if not isinstance(text, str):
        raise UsageError(f"{where}.text: found {quoted(text)}, allowed a string.")
    return text


def _split(content: str) -> tuple[str, str, bool]:
    """Split a reply's content as one that arrives in instant mode: reasoning, answer, and whether the block closed."""
    splitter = ThinkSplitter(PromptEnd.THOUGHT, DEFAULT_TEMPLATE.think)
    segments = splitter.feed(content) + splitter.close()
    reasoning, answer = ("".join(s.text for s in segments if s.part is part) for part in ReplyPart)
    return reasoning, answer, splitter.is_in_answer
