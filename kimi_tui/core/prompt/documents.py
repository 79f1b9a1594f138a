"""A conversation as a document to read or pass on. Texts stay exact; only the frame around them is ours.

In Markdown a text that would reach out of its place (a heading, a fence without an end) is quoted or fenced whole.
"""

from __future__ import annotations

from collections.abc import Callable

from kimi_tui.core.prompt.stop_words import end_words
from kimi_tui.core.session.differing_fields import setting_labels
from kimi_tui.core.session.endings import marks, thinking_end
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.session.tree import branch
from kimi_tui.core.text.containing import contained, plain_line, shared_labels
from kimi_tui.core.text.dotted import dotted

NAMES = {Role.USER: "You", Role.ASSISTANT: "Kimi"}


def render_markdown(session: Session) -> str:
    """The active branch; reasoning stands in a `<details>` block."""
    messages = branch(session)
    texts = [text or "" for it in messages for text in (it.content, it.reasoning, _ending(it))]
    shared = shared_labels([session.system or "", *texts])
    parts = [f"# {plain_line(session.title) or plain_line(session.id)}\n"]
    if session.system is not None:
        parts.append(f"## System prompt\n\n{contained(session.system, shared)}\n")
    settings = setting_labels((it.parent, it.id, it.sent) for it in session.messages)
    parts += [_markdown_message(message, settings.get(message.id, ""), shared) for message in messages]
    return "\n".join(parts)


def _markdown_message(message: Message, setting: str, shared: frozenset[str]) -> str:
    reasoning, words = "", _end_words(message)
    if message.reasoning:
        text = contained(message.reasoning, shared)
        who = thinking_end(message)
        reasoning = f"<details><summary>Reasoning{f' · {who}' if who else ''}</summary>\n\n{text}\n\n</details>\n\n"
    end = f"\n[{plain_line(words)}]\n" if words else ""
    heading = _who(message, setting, plain_line)
    return f"## {heading}\n\n{reasoning}{contained(message.content, shared)}\n{end}"


def _who(message: Message, setting: str, line: Callable[[str], str]) -> str:
    """Who speaks, what the branch that begins there is called, and its setting; `line` makes one line of a text."""
    name = line(message.name)
    return dotted(NAMES[message.role], f"branch “{name}”" if name else "", line(setting))


def _end_words(message: Message) -> str:
    """What was done to a reply, and how it ended; "" = nothing, and it is whole."""
    return dotted(marks(message), end_words(message))


def _ending(message: Message) -> str:
    """The same on a line of its own, with what was done to the thinking, which is not there."""
    who = thinking_end(message) if message.reasoning else ""
    words = dotted(who, _end_words(message))
    return f"\n[{words}]\n" if words else ""


def render_text(session: Session) -> str:
    """The active branch, answers without their reasoning."""
    parts = [] if session.system is None else [f"System prompt:\n{session.system}\n"]
    settings = setting_labels((it.parent, it.id, it.sent) for it in session.messages)
    parts += [f"{_who(it, settings.get(it.id, ''), _folded)}:\n{it.content}\n{_ending(it)}" for it in branch(session)]
    return "\n".join(parts) or "\n"


def _folded(text: str) -> str:
    return " ".join(text.split())
