"""Callables that many parts are handed, where `Callable` alone would not say how they are called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:  # the name of a type only
    from textual.screen import Screen

Result = TypeVar("Result")


class Say(Protocol):
    """Puts a notice into the conversation on screen."""

    def __call__(self, text: str, severity: str = "info", *, about: str = "") -> None:
        """Say it, in place of earlier notices about the same thing; "" = about nothing in particular."""


class Remark(Protocol):
    """Puts a word into the status line for a while."""

    def __call__(self, *texts: str) -> None:
        """Show the first form that fits; long ones first."""


class RunLater(Protocol):
    """Does something beside everything else; what goes wrong is told in the conversation."""

    def __call__(self, work: Awaitable[object], failed: Callable[[], None] = ..., *, keys_wait: bool = True) -> None:
        """`failed` is called when it raised a KimiError.

        Keys that follow may be meant for what comes of it: where `keys_wait`, they wait for it, not for long.
        """


class Push(Protocol):
    """Shows a screen above the conversation."""

    def __call__(self, screen: Screen[Result], left: Callable[[Result | None], None] | None = None, /) -> object:
        """`left` is called with what the screen was left with; None = it was left without a choice."""


class Choose(Protocol):
    """Shows a screen above the conversation, on which something is chosen."""

    def __call__(self, screen: Screen[Result], take: Callable[[Result], Awaitable[object] | None], /) -> None:
        """`take` is called with the choice, where there is one; what goes wrong with it is told."""
