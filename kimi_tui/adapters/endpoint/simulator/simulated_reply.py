"""The words of a reply: what the simulator thinks about a message and answers to it, from the prompt alone.

Texts of the prompt are repeated as they stand in it, still neutralised: decoded, a marker that somebody quoted would
end the reply.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kimi_tui.adapters.endpoint.simulator import tour
from kimi_tui.adapters.endpoint.simulator.reply_forms import formatted
from kimi_tui.core.prompt.open_turn import OpenTurn
from kimi_tui.core.prompt.prompt_syntax import Prompt
from kimi_tui.core.session.session import Role
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.text_pieces import common_chars

SHOWN_CHARS = 120
"""How much of a text the thinking repeats."""
QUOTED_CHARS = 300
"""How much of a text the answer repeats."""
_NAME = re.compile(r"\bmy name is ([^\W\d_][\w'’-]*)", re.IGNORECASE)
_ASKS_NAME = re.compile(r"\bwhat(?:'s|’s| is| was) my name\b|\bwho am i\b", re.IGNORECASE)
_ASKS_MINE = re.compile(r"\bwhat (?:did|have|had|was it) i\b.*\b(first|before|last|just)\b", re.IGNORECASE | re.DOTALL)
_ASKS_YOURS = re.compile(r"\bwhat (?:did|have|had) you\b.*\b(first|before|last|just)\b", re.IGNORECASE | re.DOTALL)
_ASKS_COUNT = re.compile(r"\bhow many (?:messages|questions|turns)\b", re.IGNORECASE)
ANEW = ("", "In other words:\n\n", "Or, to put it differently:\n\n", "Once more, then.\n\n", "Said another way:\n\n")
"""What answers to thinking that came with the prompt begin with, so that they differ."""
OPENINGS = ("Let me see.", "So.", "All right.")
FORM_THOUGHT = "They ask for a certain form. I keep to it, whatever it says."
SECOND_THOUGHT = " let me go through that once more. Nothing in it was wrong, so I stay with it."
"""What is thought behind a thought that was over, whatever nudged it."""
NOTHING_MORE = " That is all there is to say about it.\n"
"""What is said behind a text that was over before somebody wrote on."""
_LIGHT = {"about", "could", "does", "from", "have", "name", "please", "should", "some", "tell", "that", "this", "what"}
"""Words that say little about what a message is about."""


@dataclass(frozen=True, slots=True)
class ReplyWords:
    reasoning: str | None
    """What comes before the closing think marker; None = the prompt asks for no reasoning."""
    answer: str

    def begins_with(self, open_turn: OpenTurn) -> bool:
        """Whether it may be what an open turn is the beginning of."""
        reasoning, begun = open_turn.reasoning if self.reasoning is None else self.reasoning, open_turn.reasoning
        is_begun = reasoning.startswith(begun) or _is_taken_up(reasoning, begun)
        return is_begun and self.answer.startswith(open_turn.answer)

    def behind(self, open_turn: OpenTurn) -> ReplyWords:
        """What is still to be said; where the open turn holds somebody else's words, what follows the common part."""
        reasoning = self.reasoning if self.reasoning is None else _behind(self.reasoning, open_turn.reasoning)
        if self.reasoning is not None and _is_taken_up(self.reasoning, open_turn.reasoning):
            reasoning = SECOND_THOUGHT
        return ReplyWords(reasoning, _behind(self.answer, open_turn.answer))


def words_of(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", text.lower()))


def question_of(parsed: Prompt) -> str:
    """The newest user message; "" = there is none."""
    return next((turn.text for turn in reversed(parsed.turns) if turn.role is Role.USER), "")


def write_reply(
    parsed: Prompt, response_format: object, chance: random.Random, fault: tour.Fault | None = None, variant: int = 0
) -> ReplyWords:
    """Think about the newest user message and answer it in the checked `response_format`; None = in any.

    With a fault the answer is one that is long enough to break off. Of answers to the same thinking, neighbouring
    variants differ.
    """
    writer = _Writer(parsed, chance, fault)
    answer = formatted(response_format, writer.question, chance)
    reasoning = writer.reasoning(is_formatted=answer is not None) if not parsed.open_turn.is_closed else None
    if answer is None:
        anew = ANEW[variant % len(ANEW)] if parsed.open_turn.is_closed and writer.answers_again else ""
        answer = anew + writer.answer() + writer.system_note()
    return ReplyWords(reasoning, answer)


def _is_taken_up(reasoning: str, begun: str) -> bool:
    """Whether a thought is over, and somebody wants more of it."""
    return begun.startswith(reasoning) and len(begun) > len(reasoning)


def _behind(text: str, begun: str) -> str:
    if text.startswith(begun):
        return text[len(begun) :]
    rest = text[common_chars(text, begun) :]
    if not rest.strip():
        return NOTHING_MORE
    return rest if begun[-1:].isspace() or rest[0].isspace() else f" {rest}"


class _Writer:
    def __init__(self, parsed: Prompt, chance: random.Random, fault: tour.Fault | None) -> None:
        self._parsed, self._chance, self._fault = parsed, chance, fault
        self._mine = [turn.text for turn in parsed.turns if turn.role is Role.USER]
        self._yours = [turn.text for turn in parsed.turns if turn.role is Role.ASSISTANT]
        self._system = next((turn.text for turn in parsed.turns if turn.role is Role.SYSTEM), "")
        self.question = question_of(parsed)
        self._topic = tour.topic_of(words_of(self.question))

    def reasoning(self, *, is_formatted: bool) -> str:
        return self._thought(self._chance.choice(OPENINGS), is_formatted=is_formatted)

    def _thought(self, opening: str, *, is_formatted: bool) -> str:
        parts = [f"{opening} The user says “{_folded(self.question, SHOWN_CHARS)}”.", *self._observations()]
        if self._system:
            parts.append(f"The system prompt asks of me: “{_folded(self._system, SHOWN_CHARS)}”.")
        parts.append(FORM_THOUGHT if is_formatted else self._conclusion)
        return " ".join(parts)

    @property
    def _conclusion(self) -> str:
        """What a thought ends with, unless it is about a form."""
        if self._fault is not None:
            return f"They want to see {self._fault.see}. I begin as if nothing were to happen."
        if self._memory() is not None:
            return "That is about what was said before. The whole conversation is in my prompt, so I look there."
        if self._topic is not None:
            return self._topic.thought
        return (
            "I am a simulator and have no text about that. I had better say so, repeat what I understood, and name "
            "a few words that I do know."
        )

    @property
    def answers_again(self) -> bool:
        """Whether a thought came with the prompt that is whole: one that was cut is answered for the first time."""
        thought = self._parsed.open_turn.reasoning
        whole = (self._thought(opening, is_formatted=False) for opening in OPENINGS)
        return bool(thought) and not any(len(text) > len(thought) and text.startswith(thought) for text in whole)

    def _observations(self) -> list[str]:
        count = len(self.question.split())
        found = [f"That is {counted(count, 'word')}"]
        words = {word for word in re.findall(r"[^\W\d_]{4,}", self.question) if word.lower() not in _LIGHT}
        weighty = sorted(words, key=lambda word: (-len(word), word))[:2]
        if count > 2 and weighty:
            found[0] += f", above all {' and '.join(f'“{word}”' for word in weighty)}"
        found[0] += "."
        if len(self._mine) > 1:
            found.append(f"Before, they wrote “{_folded(self._mine[-2], 60)}”, so we are at message {len(self._mine)}.")
        else:
            found.append("It is the first message of this conversation.")
        return found

    def answer(self) -> str:
        """Answer from memory, else about the topic, else say which topics there are."""
        if self._fault is not None:
            return tour.BREAKING
        memory = self._memory()
        if memory is not None:
            return memory
        if self._topic is None:
            return self._restated()
        return self._prompt_shown() if self._topic.name == tour.PROMPT else self._topic.text

    def system_note(self) -> str:
        """Say once in a conversation that the system prompt arrived."""
        note = f"Your system prompt reached me, too: “{_folded(self._system, SHOWN_CHARS)}”"
        if not self._system or any(note in text for text in self._yours):
            return ""
        return f"\n{note}\n"

    def _memory(self) -> str | None:
        if _ASKS_NAME.search(self.question):
            names = [name[1] for text in self._mine for name in _NAME.finditer(text)]
            return f"Your name is **{names[-1]}**.\n" if names else "You have not told me your name yet.\n"
        if _ASKS_COUNT.search(self.question):
            return f"You have written {len(self._mine)}, and I have answered {len(self._yours)}.\n"
        if (asked := _ASKS_MINE.search(self.question)) is not None:
            return _recalled("you", self._mine[:-1] or self._mine, asked[1])
        if (asked := _ASKS_YOURS.search(self.question)) is not None:
            return _recalled("I", self._yours, asked[1])
        return None

    def _restated(self) -> str:
        count = len(self._mine)
        told = _NAME.search(self.question)
        thanks = self._chance.choice(["Noted.", "I see.", "Thank you."])
        greeting = f"Nice to meet you, **{told[1]}**." if told else thanks
        return (
            f"{greeting} You wrote:\n\n{_quoted(self.question)}\n\nThat is message {count} of this conversation. "
            f"I am the offline simulator and know only a few things: say {tour.SUGGESTED}, or `tour` for all of them.\n"
        )

    def _prompt_shown(self) -> str:
        mode = "instant" if self._parsed.open_turn.is_closed else "thinking"
        rows = "\n".join(
            f"| {turn.role.value} | {len(turn.text)} | {_cell(_folded(turn.text, 50))} |" for turn in self._parsed.turns
        )
        return (
            f"Your prompt reached me in the template `{self._parsed.template.name}`, mode {mode}, with these turns:\n\n"
            f"| role | characters | beginning |\n| --- | ---: | --- |\n{rows}\n"
        )


def _recalled(who: str, texts: Sequence[str], which: str) -> str:
    if not texts:
        return "Nothing was said before this.\n"
    is_first = which.lower() == "first"
    verb = "wrote" if who == "you" else "said"
    return f"The {'first' if is_first else 'last'} thing {who} {verb} was:\n\n{_quoted(texts[0 if is_first else -1])}\n"


def _folded(text: str, most_chars: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most_chars else line[:most_chars] + "…"


def _quoted(text: str) -> str:
    shown = text if len(text) <= QUOTED_CHARS else text[:QUOTED_CHARS] + "…"
    return "\n".join(f"> {line}" for line in shown.split("\n"))


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("`", "\\`")
