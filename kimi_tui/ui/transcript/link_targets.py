"""The targets of links in a stretch of Markdown that is not in view: they count wherever they stand.

What the parser would find is found without it where that is sure: behind a blank line, code left out. Only a stretch
in which something else may define a target is parsed for it.
"""

from __future__ import annotations

import re

from kimi_tui.core.markdown.source import MarkdownSource, References
from kimi_tui.ui.transcript.stretch_cuts import protected

_DEFINITIONS = re.compile(r"(?:\A|(?<=\n)[ \t\r]*\n)((?: {0,3}\[[^\]\n]+\]:[^\n]+(?:\n|\Z))+)(?=[ \t\r]*\n|\Z)")
"""Lines between blank ones that define targets, or notes."""
_MAY_DEFINE = re.compile(r"(?:\A|[\r\n])[ \t>*+.)\-\d]*\[(?:[^\[\]\\]|\\.){1,999}\]:", re.DOTALL)
"""What may define one, in whatever it stands."""
_HIDING = re.compile(r"```|~~~|<(?:[!?]|pre|script|style|textarea)|\r(?!\n)", re.IGNORECASE)
"""What may hold lines behind a blank one: code inside a list, some HTML; and line ends that are not looked for here."""


def targets(text: str) -> References:
    """Find what `MarkdownSource` does."""
    if "]:" not in text or not _MAY_DEFINE.search(text):
        return {}
    open_text = _without_fences(text)
    others = _DEFINITIONS.sub("\n\n", open_text)
    if _HIDING.search(others) or _MAY_DEFINE.search(others):
        return MarkdownSource(text).references
    return MarkdownSource("\n".join(_DEFINITIONS.findall(open_text))).references


def _without_fences(text: str) -> str:
    """The text without its code, but for that which may end elsewhere than it seems, being in something else."""
    parts, place = list[str](), 0
    for span in protected(text, ""):
        if text[span.start] in "`~":
            parts.append(text[place : span.start])
            place = span.end
    return "\n\n".join([*parts, text[place:]])
