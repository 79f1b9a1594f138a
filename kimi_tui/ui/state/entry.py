"""What the transcript shows: one entry for each message or notice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kimi_tui.core.prompt.template import DEFAULT_TEMPLATE, Template
from kimi_tui.core.session.written import WrittenRange
from kimi_tui.core.text.growing_text import TextView


class EntryKind(StrEnum):
    USER = "user"
    """Shown exactly as typed."""
    ASSISTANT = "assistant"
    """Markdown, with reasoning before it."""
    NOTICE = "notice"
    WELCOME = "welcome"
    REASONING = "reasoning"
    """Reasoning alone, as its pane shows it: plain text without a heading."""
    PROMPT = "prompt"
    """An exact input: plain text in which control markers are drawn as chips."""


MESSAGES = frozenset({EntryKind.USER, EntryKind.ASSISTANT})
"""Kinds that the message cursor can stand on."""
SEARCHED = MESSAGES | {EntryKind.REASONING, EntryKind.PROMPT}
"""Kinds whose texts are searched: the program's own words are not."""
ADDED, REMOVED, ALIKE = "+ ", "- ", "  "
"""Margins of a text that is compared with another."""


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    """Unique among the entries."""
    kind: EntryKind
    heading: str
    """Who speaks; "" = no heading."""
    text: str | TextView
    """The text, or the answer; of a reply that grows a view, which goes on saying what has been told of it."""
    reasoning: str | TextView | None = None
    thought_label: str = ""
    """The one line of the folded reasoning, such as "Thought for 12.4 s · 840 tok"."""
    is_streaming: bool = False
    is_thinking: bool = False
    footer: str = ""
    """What stands below it, such as "stopped"; "" = nothing."""
    alternatives: tuple[int, int] | None = None
    """Its place among its alternatives and how many there are; None = it has none."""
    branch_name: str = ""
    """What the branch that begins with it is called; "" = nothing."""
    setting: str = ""
    """What its request says that those of its alternatives do not, such as "temperature 0.5"; "" = nothing."""
    severity: str = "info"
    """How serious a notice is: "info", "warning" or "error"."""
    detail: str = ""
    """What stands beside the heading, such as the time."""
    is_excluded: bool = False
    """Whether it is on screen, but not in the prompt."""
    template: Template = DEFAULT_TEMPLATE
    """Of an exact input: whose markers are drawn as chips."""
    remark: str = ""
    """What stands behind the heading, such as "edited by you"; "" = nothing."""
    written: tuple[WrittenRange, ...] = ()
    """What of a reply the user wrote."""
    margin: str = ""
    """Of an exact input: what stands before each of its lines, such as "+ "; "" = nothing."""
