"""What the settings pane asks for; whoever shows it does that, and shows the settings anew."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class FieldSet(Message):
    """A request field is to have a value in this session; None = it is not sent."""

    name: str
    value: object | None


@dataclass
class FieldReset(Message):
    """What the session sets for a field is to be taken back.

    `name` may also be "thinking", "preset", "unset", "extra" or "extra.NAME"; see `settings_changes.without_own`.
    """

    name: str


@dataclass
class ThinkingChanged(Message):
    """The session is to think first, or to answer at once."""

    thinking: bool


@dataclass
class PresetChosen(Message):
    """The session is to have that preset."""

    name: str


@dataclass
class SystemChanged(Message):
    """The session is to have that system prompt; None = none."""

    text: str | None


@dataclass
class PresetSaveRequested(Message):
    """What the session sends is to be saved as a preset."""

    name: str


@dataclass
class PresetRenameRequested(Message):
    """A preset is to have another name."""

    old: str
    new: str


@dataclass
class PresetDeleteRequested(Message):
    """A preset of the user's own is to go."""

    name: str


class DefaultRequested(Message):
    """What the session sets is to be what new ones begin with."""


class AllResetRequested(Message):
    """Everything that the session sets is to be taken back, but its system prompt."""


class HintsChanged(Message):
    """The pane's `hints` say something else than before."""
