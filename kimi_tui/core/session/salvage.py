"""What a format can still read of a damaged file: what stands at the top, and the messages one by one."""

from __future__ import annotations

from dataclasses import dataclass, field

TORN = "the end of the file is missing."


@dataclass(frozen=True, slots=True)
class Damage:
    line: int | None
    """From 1; None = not known."""
    words: str
    """Where in the data and what: in one line, such as "messages[3].role: found …, allowed …."."""


@dataclass(frozen=True, slots=True)
class Row:
    """A message as it stands in the file."""

    line: int | None
    """Where it begins, from 1; None = not known."""
    data: object = None
    fault: str = ""
    """Why it cannot be read, in one line; "" = it is plain data."""


@dataclass(slots=True)
class Salvaged:
    head: dict[str, object] = field(default_factory=dict)
    """What stands beside the messages."""
    rows: list[Row] = field(default_factory=list)
    """All messages in the file's order; of what cannot be told apart any more there is one."""
    damages: list[Damage] = field(default_factory=list)
    """What had to be left out of the head."""
    is_torn: bool = False

    @property
    def is_whole(self) -> bool:
        return not self.damages and not self.is_torn and not any(row.fault for row in self.rows)


def line_at(text: str, place: int) -> int:
    """The line of a place in a text, from 1."""
    return text.count("\n", 0, place) + 1
