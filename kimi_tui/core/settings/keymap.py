"""Which key does what: the registry's keys with `[keymap]` of the config on top.

A key means one action at a place: the place's own actions go before those that apply anywhere. Keys are written as
Textual names them ("ctrl+n", "f3", "pageup"), single characters as themselves ("y", "Y", "[").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kimi_tui.core.settings.actions import ACTIONS, BY_ID, KEY_NAMES, Action, Scope, key_label
from kimi_tui.core.settings.layers import ConfigProblem
from kimi_tui.core.text.nearest import nearest
from kimi_tui.core.text.quoting import quoted

Keys = Mapping[str, tuple[str, ...]]
DEFAULT_KEYS: Keys = {action.id: action.keys for action in ACTIONS}
TERMINAL_BYTES = frozenset({"ctrl+h", "ctrl+i", "ctrl+m", "ctrl+["})
"""Keys that terminals send as Backspace, Tab, Enter and Escape."""
_NAMED = "|".join(
    (*(name for name in KEY_NAMES if name not in {"ctrl", "shift", "alt"}), "insert", "f[1-9]|f1[0-9]|f2[0-4]")
)
_KEY = re.compile(rf"(?P<modifiers>(?:(?:ctrl|shift|alt)\+)*)(?:(?P<named>{_NAMED})|(?P<char>[!-~]))")
ALLOWED = "a key such as ctrl+n, f3 or alt+up, or a list of them; [] for none"
LISTED = "the name of a command: F1 and the README list them"
"""Allowed where an action's name is like none: there are too many to name."""
TYPED_SCOPES = frozenset({Scope.SCREEN, Scope.COMPOSER})
"""Where letters are typed, so that none can be a key."""


@dataclass(frozen=True, slots=True)
class KeyTable:
    keys: Keys
    """Keys by action id; an action without keys has an empty tuple."""
    _actions: Mapping[tuple[Scope, str], Action]

    @classmethod
    def of(cls, overrides: Keys) -> KeyTable:
        """Put checked overrides on top of the registry's keys."""
        keys = {**DEFAULT_KEYS, **overrides}
        return cls(keys, {(BY_ID[id_].scope, key): BY_ID[id_] for id_, own in keys.items() for key in own})

    def action(self, scope: Scope, *names: str) -> Action | None:
        """`names` = those of one key, such as "left_square_bracket" and "["."""
        places = (scope, Scope.SCREEN)
        return next((found for place in places for name in names if (found := self._actions.get((place, name)))), None)

    def label(self, action_id: str) -> str:
        """The first key of an action as people write it; "" = it has none."""
        own = self.keys[action_id]
        return key_label(own[0]) if own else ""

    def hint(self, action: Action) -> str:
        """An action as the footer shows it: its key and its word; "" = it has no key."""
        key = self.label(action.id)
        return f"{key} {action.hint}" if key else ""


def parse_keymap(table: Mapping[str, object], problems: list[ConfigProblem]) -> Keys:
    """Read the `[keymap]` table: action = key, or a list of keys; one with a problem keeps the registry's keys.

    Unknown actions, keys that cannot be, and keys that two actions want are added to `problems`.
    """
    wanted: dict[str, tuple[str, ...]] = {}
    for id_, value in table.items():
        if id_ not in BY_ID:
            problems.append(ConfigProblem(("keymap", id_), "an unknown action", nearest(id_, BY_ID, LISTED)))
        elif (keys := _parse_keys(value)) is None:
            problems.append(ConfigProblem(("keymap", id_), quoted(value), ALLOWED))
        elif (typed := _typed(BY_ID[id_].scope, keys)) is not None:
            problems.append(
                ConfigProblem(("keymap", id_), f"{typed}, which is typed there", "a key that types nothing")
            )
        else:
            wanted[id_] = keys
    return _without_conflicts(wanted, problems)


def _parse_keys(value: object) -> tuple[str, ...] | None:
    """Read one key or a list of them; None = that is neither."""
    if value == "":
        return ()
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list):
        return None
    keys = [_parse_key(name) if isinstance(name, str) else None for name in names]
    return tuple(dict.fromkeys(key for key in keys if key)) if all(keys) else None


def _parse_key(text: str) -> str | None:
    """Bring a key's name into its one form; None = it is none."""
    match = _KEY.fullmatch(text if len(text) == 1 else text.lower())
    if match is None:
        return None
    modifiers = [name for name in ("ctrl", "alt", "shift") if f"{name}+" in match["modifiers"]]
    key = "+".join([*modifiers, match["named"] or match["char"]])
    return None if key in TERMINAL_BYTES else key


def _typed(scope: Scope, keys: Iterable[str]) -> str | None:
    return next((key for key in keys if scope in TYPED_SCOPES and (len(key) == 1 or key == "space")), None)


def _without_conflicts(wanted: dict[str, tuple[str, ...]], problems: list[ConfigProblem]) -> Keys:
    """Drop, one after the other, what wants a key that another action has."""
    for id_ in list(wanted):
        keys = {**DEFAULT_KEYS, **wanted}
        clash = next(((key, other) for key in wanted[id_] if (other := _other(id_, key, keys)) is not None), None)
        if clash is not None:
            key, other = clash
            problems.append(ConfigProblem(("keymap", id_), f"{key}, which is the key of {other}", "a key of its own"))
            del wanted[id_]
    return wanted


def _other(id_: str, key: str, keys: Keys) -> str | None:
    scope = BY_ID[id_].scope
    rivals = (other for other, own in keys.items() if other != id_ and key in own)
    meeting = {scope, Scope.SCREEN} if scope is not Scope.SCREEN else set(Scope)
    return next((other for other in rivals if BY_ID[other].scope in meeting), None)
