"""What the settings pane asks for; whoever shows it does that, and shows the settings anew."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class SettingChanged(Message):
    """The session is to set something for itself; see `settings_changes.with_setting`."""

    name: str
    value: object | None


@dataclass
class SettingReset(Message):
    """What the session sets is to be taken back; see `settings_changes.without_own`. "" = all but its system prompt."""

    name: str


@dataclass
class ActionRequested(Message):
    """An action of the registry is to be done: "save-preset" and "delete-preset" with a name, or "make-default"."""

    action_id: str
    argument: str = ""


@dataclass
class PresetRenameRequested(Message):
    """A preset is to have another name; either may hold blanks, so that one argument could not say both."""

    old: str
    new: str


class HintsChanged(Message):
    """The pane's `hints` say something else than before."""
