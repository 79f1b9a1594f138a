"""Slash commands: what a line in the composer means before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from kimi_tui.core.settings.actions import COMMANDS, Action, Scope


@dataclass(frozen=True, slots=True)
class Command:
    action: Action
    argument: str
    """The text behind it, exactly, without the blank between."""


@dataclass(frozen=True, slots=True)
class UnknownCommand:
    """A line that looks like a slash command and is none; nothing is sent."""

    name: str
    nearest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    """What is sent: a leading double slash stands for one."""


def parse_line(text: str) -> Command | UnknownCommand | Text:
    """Tell a slash command from a message.

    A text is a command when it begins with one slash and a word; `//` stands for a literal slash. A path such as
    `/etc/hosts` is no command's name and is reported as unknown rather than sent by mistake.
    """
    if not text.startswith("/"):
        return Text(text)
    if text.startswith("//"):
        return Text(text[1:])
    name, _, argument = text[1:].partition(" ")
    if "\n" in name:
        name, _, argument = text[1:].partition("\n")
    action = COMMANDS.get(name.strip().lower())
    if action is None:
        return UnknownCommand(name, tuple(get_close_matches(name, COMMANDS, n=3)))
    return Command(action, argument)


def is_message(line: str) -> bool:
    """Whether a line holds something to send: more than blanks, and no command, known or half-typed."""
    match parse_line(line):
        case Text(text):
            return bool(text.strip())
        case Command():
            return False
        case UnknownCommand():
            return not is_half_typed(line) and line != "/"


def is_half_typed(line: str) -> bool:
    """Whether a line is the beginning of a command's name, and no command by itself."""
    return len(line) > 1 and isinstance(parse_line(line), UnknownCommand) and bool(completions(line, {}))


def typed(message: str) -> str:
    """Write a message as `parse_line` reads it: what goes back into the composer is sent as the same text again."""
    return f"/{message}" if message.startswith("/") else message


def typed_before(message: str, draft: str) -> str:
    """Write a message that stands before a draft, which is part of it then."""
    line = parse_line(draft)
    rest = line.text if isinstance(line, Text) else draft
    return typed(f"{message}\n\n{rest}" if rest else message)


@dataclass(frozen=True, slots=True)
class Completion:
    text: str
    label: str
    help: str = ""
    is_whole: bool = True
    """Whether it can be done as it stands: nothing more has to be typed."""


Choices = Mapping[str, Sequence[str]]
"""What may stand behind a command, by the command's id."""


def completions(text: str, choices: Choices) -> tuple[Completion, ...]:
    """List what a half-typed line may become: a command, or one with a value that is known."""
    if not text.startswith("/") or text.startswith("//") or "\n" in text:
        return ()
    name, blank, word = text[1:].partition(" ")
    if not blank:
        fitting = {action.id: action for known, action in COMMANDS.items() if known.startswith(name.lower())}
        ordered = sorted(fitting.values(), key=lambda action: action.scope is not Scope.SCREEN)
        return tuple(Completion(_line(action), action.usage, action.help, action.runs_alone) for action in ordered)
    action = COMMANDS.get(name.lower())
    if action is None:
        return ()
    return tuple(
        Completion(f"/{name} {value}", f"/{name} {value}", is_whole=" " not in action.argument)
        for value in choices.get(action.id, ())
        if value.startswith(word) and value != word
    )


def _line(action: Action) -> str:
    return f"/{action.id} " if action.argument else f"/{action.id}"
