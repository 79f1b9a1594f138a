"""Comparing the chosen reply or question with another one, and going on with one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kimi_tui.core.errors import UsageError
from kimi_tui.core.text.counts import counted
from kimi_tui.ui.commands.target import Target
from kimi_tui.ui.state.callbacks import Choose
from kimi_tui.ui.state.open_chat import Chat

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.ui.state.compare_sides import CompareSource

USAGE = "/compare alone compares the chosen message with another; /compare 1 3 its alternatives 1 and 3."


@dataclass(eq=False)
class CompareCommand:
    target: Target
    show: Callable[[str], None]  # shows an alternative, of whatever branch
    choose: Choose

    def __call__(self, argument: str) -> None:
        """With two alternatives those; with more, one is chosen from a list, without any from the whole session."""
        from kimi_tui.ui.state.compare_sides import CompareSource  # noqa: PLC0415 - most commands do not need it

        chat = self.target.chat
        key = self._subject(chat)
        if key is None:
            raise UsageError("There is no message here to compare.")
        source = CompareSource.of(chat.replies)
        family, words = source.family(key), argument.split()
        if words:
            self._open(chat, *_numbered(family, words))
            return
        others = [other for other in family if other != key]
        if len(others) == 1:
            self._open(chat, *(it for it in family if it in {key, others[0]}))
        else:
            self._choose_other(chat, source, key, others or None)

    def _subject(self, chat: Chat) -> str | None:
        """The chosen message, else the last one that has alternatives, else the last; None = there is none."""
        chosen, last = self.target.cursor.chosen, self.target.key
        keys = [last, *(message.id for message in reversed(chat.branch))] if chosen is None and last else []
        return next((key for key in keys if key and chat.place_among_alternatives(key)[1] > 1), last)

    def _choose_other(self, chat: Chat, source: CompareSource, key: str, others: Sequence[str] | None) -> None:
        """`others` None = any message of the session."""
        from kimi_tui.ui.screens.compare_choice import CompareChoice  # noqa: PLC0415 - likewise

        if others is None and not source.has_others(key):
            raise UsageError("There is nothing to compare it with yet.", "/regenerate asks for an alternative.")

        title = "Compare with …" if others is None else f"Compare with which of {counted(len(others), 'alternative')}?"
        self.choose(CompareChoice(title, partial(source.candidates, key, others)), partial(self._open, chat, key))

    def _open(self, chat: Chat, left: str, right: str) -> None:
        from kimi_tui.ui.screens.compare_screen import CompareScreen  # noqa: PLC0415 - likewise
        from kimi_tui.ui.state.compare_sides import CompareSource  # noqa: PLC0415 - likewise

        def go_on(key: str) -> None:
            if chat is not self.target.chat or CompareSource.of(chat.replies).side(key) is None:
                raise UsageError("That message is not in the session any more.")
            had_cursor = self.target.cursor.chosen is not None
            self.show(key)
            if not had_cursor:
                self.target.cursor.choose(None)

        source = CompareSource.of(chat.replies)
        if source.side(left) is None or source.side(right) is None:
            raise UsageError("One of the two is not in the session any more.")
        self.choose(CompareScreen(chat.replies, source, left, right), go_on)


def _numbered(family: Sequence[str], words: Sequence[str]) -> tuple[str, str]:
    """Two different alternatives by their numbers, from 1."""
    numbers = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 6]
    is_pair = len(numbers) == len(words) == 2 and numbers[0] != numbers[1]
    if not is_pair or not all(1 <= number <= len(family) for number in numbers):
        there = counted(len(family), "alternative") if len(family) > 1 else "no alternatives"
        raise UsageError(f"/compare takes the numbers of two alternatives; the message has {there}.", USAGE)
    return family[numbers[0] - 1], family[numbers[1] - 1]
