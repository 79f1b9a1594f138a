"""What is told of two messages that are compared: where each stands, what each was asked with, what it took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kimi_tui.core.prompt.reply_figures import figures_of
from kimi_tui.core.prompt.stop_words import end_words
from kimi_tui.core.session.differing_fields import differing_fields, field_words
from kimi_tui.core.session.endings import marks
from kimi_tui.core.session.growing_reply import ReplyPart
from kimi_tui.core.session.session import Message, Role, Session
from kimi_tui.core.text.dotted import dotted
from kimi_tui.core.text.visible import one_line
from kimi_tui.ui.state.branch import Branch, Growing
from kimi_tui.ui.state.entries import ASSISTANT_NAME, USER_NAME
from kimi_tui.ui.state.figures import cost_words, sizes
from kimi_tui.ui.state.running_replies import RunningReplies
from kimi_tui.ui.text import words

NAME_CHARS, FIRST_CHARS = 40, 80
"""Most characters that are shown of a branch's name, of a text in a list."""


@dataclass(frozen=True, slots=True)
class CompareSide:
    message: Message
    """A growing one as far as it has come."""
    turn: int
    """Which question it is or answers on its branch, from 1."""
    alternatives: tuple[int, int]
    """Its place among its alternatives, from 1, and how many there are."""
    name: str
    """What the user calls its branch; "" = nothing."""
    is_growing: bool = False
    is_gone: bool = False
    """Whether it is not in the session any more."""

    @property
    def key(self) -> str:
        return self.message.id

    @property
    def place(self) -> str:
        who = USER_NAME if self.message.role is Role.USER else ASSISTANT_NAME
        number, count = self.alternatives
        among = f"alternative {number}/{count}" if count > 1 else "no alternatives"
        return dotted(who, f"turn {self.turn}", among, self.name and f"“{self.name}”")

    def text(self, part: ReplyPart) -> str:
        return self.message.content if part is ReplyPart.ANSWER else self.message.reasoning or ""

    @property
    def state(self) -> str:
        if self.is_gone:
            return "not in the session any more"
        if self.is_growing:
            return "still growing"
        if self.message.role is Role.USER:
            return ""
        ended = end_words(self.message) or ("" if self.message.state is None else str(self.message.state))
        return dotted(ended, marks(self.message))

    @property
    def figures(self) -> tuple[Sequence[str], Sequence[str]]:
        """What the reply took: in long words, and in short ones."""
        if self.message.role is Role.USER:
            return (), ()
        usage, timing, is_estimated = figures_of(self.message)
        long_sizes, short_sizes = sizes(usage.input_tokens, usage.output_tokens, "~" if is_estimated else "")
        cost = cost_words(usage.cost_usd, is_estimated=is_estimated)
        times = (
            ("first token", "first", timing.first_token_s),
            ("thought for", "thought", timing.thinking_s),
            ("total", "total", timing.total_s),
        )
        told = [(long, short, words.seconds(value)) for long, short, value in times if value is not None]
        return (
            [*filter(None, (long_sizes, cost)), *(f"{long} {value}" for long, _, value in told)],
            [*filter(None, (short_sizes, cost)), *(f"{it[1]} {it[2]}" for it in told)],
        )


class Candidate(NamedTuple):
    key: str
    line: str
    """Its place, the settings in which it differs, its first words."""


class CompareSource:
    """The messages of one state of a session, those that grow included."""

    def __init__(self, session: Session, growing: Mapping[str, Message]) -> None:
        """`growing` = replies that are being written, as far as they have come, by their ids."""
        self.session, self.growing = session, growing
        self._messages = {message.id: message for message in session.messages} | dict(growing)
        beginning = tuple(Growing(id_, it.parent, it.sent) for id_, it in growing.items() if it.parent is not None)
        self._branch = Branch(session, beginning)

    @classmethod
    def of(cls, replies: RunningReplies) -> CompareSource:
        return cls(replies.session, {it.live.key: it.so_far for it in replies.running})

    def is_of(self, replies: RunningReplies) -> bool:
        """Whether the session is still in that state: what a reply grew by meanwhile is no other one."""
        return replies.session is self.session and {it.live.key for it in replies.running} == self.growing.keys()

    def side(self, key: str) -> CompareSide | None:
        message = self._messages.get(key)
        if message is None:
            return None
        path = self._path(message)
        name = next((it.name for it in reversed(path) if it.name), "")
        return CompareSide(
            message,
            turn=sum(it.role is Role.USER for it in path),
            alternatives=self._branch.alternatives.get(key, (1, 1)),
            name=one_line(name, NAME_CHARS),
            is_growing=key in self.growing,
        )

    def _path(self, message: Message) -> list[Message]:
        """From the first message to this one."""
        path = [message]
        while (parent := path[-1].parent) is not None and parent in self._messages:
            path.append(self._messages[parent])
        return path[::-1]

    def family(self, key: str) -> Sequence[str]:
        """A message and its alternatives, in the order of their beginning."""
        return self._branch.families.get(self._messages[key].parent, [key])

    def has_others(self, key: str) -> bool:
        """Whether there is anything that a message can be compared with."""
        role = self._messages[key].role
        return any(message.role is role and message.id != key for message in self._messages.values())

    def candidates(self, beside: str, keys: Sequence[str] | None = None) -> list[Candidate]:
        """What a message can be compared with: others of its role; `keys` None = of the whole session.

        What it takes grows with the session.
        """
        known = self._messages[beside]
        chosen = self._messages.values() if keys is None else [self._messages[key] for key in keys]
        turns: dict[str, int] = {}
        return [
            Candidate(message.id, self._line(message, known, self._turn(message, turns)))
            for message in chosen
            if message.role is known.role and message.id != beside
        ]

    def _turn(self, message: Message, turns: dict[str, int]) -> int:
        """Which turn it belongs to; those of the messages on its path are noted."""
        path, at = list[Message](), message
        while at.id not in turns:
            path.append(at)
            if at.parent is None or at.parent not in self._messages:
                break
            at = self._messages[at.parent]
        turn = turns.get(at.id, 0)
        for it in reversed(path):
            turn += it.role is Role.USER
            turns[it.id] = turn
        return turn

    def _line(self, message: Message, known: Message, turn: int) -> str:
        number, count = self._branch.alternatives.get(message.id, (1, 1))
        _, others = _differing(known, message, self.session.system)
        parts = (
            f"turn {turn}", f"{number}/{count}" if count > 1 else "", message.name and f"“{message.name}”", *others,
            "growing" if message.id in self.growing else "", message.content or message.reasoning or "(empty)",
        )  # fmt: skip
        return dotted(*(one_line(part, FIRST_CHARS) for part in parts))


def _differing(left: Message, right: Message, system: str | None) -> tuple[Sequence[str], Sequence[str]]:
    """What each of two replies has of the settings in which they differ, in words; `system` is the session's.

    Nothing is told of a message that does not say what was sent for it.
    """
    sent = {"left": _settings(left, system), "right": _settings(right, system)}
    found = differing_fields(sent)
    return (field_words(found["left"]), field_words(found["right"])) if found else ((), ())


def _settings(reply: Message, system: str | None) -> dict[str, object] | None:
    """Every field that was sent, and what went into its input besides the messages; None = it does not say."""
    if reply.sent is None:
        return None
    sent = dict(reply.sent)
    if reply.model:
        sent["model"] = reply.model
    if reply.thinking is not None:
        sent["thinking"] = reply.thinking
    own = system if reply.system is None else reply.system or None
    if own:
        sent["system"] = own
    return sent


def settings_words(
    left: CompareSide, right: CompareSide, system: str | None
) -> tuple[str, Sequence[str], Sequence[str]]:
    """What is told of both sides' settings, and what each has of those in which they differ."""
    if left.message.role is Role.USER and right.message.role is Role.USER:
        return "", (), ()
    if left.message.sent is None or right.message.sent is None:
        return "settings not known", (), ()
    ours, theirs = _differing(left.message, right.message, system)
    return "" if ours else "all settings equal", ours, theirs
