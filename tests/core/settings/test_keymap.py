"""Keys of actions: the registry's, and what `[keymap]` makes of them."""

from __future__ import annotations

import itertools

import pytest

from kimi_tui.core.settings.actions import ACTIONS, BY_ID, Scope
from kimi_tui.core.settings.keymap import DEFAULT_KEYS, TERMINAL_BYTES, KeyTable, parse_keymap
from kimi_tui.core.settings.layers import ConfigProblem


def parsed(**table: object) -> tuple[dict[str, tuple[str, ...]], list[ConfigProblem]]:
    problems: list[ConfigProblem] = []
    return dict(parse_keymap({name.replace("_", "-"): value for name, value in table.items()}, problems)), problems


def test_no_two_actions_want_one_key_at_one_place() -> None:
    for left, right in itertools.combinations(ACTIONS, 2):
        if left.scope is right.scope or Scope.SCREEN in {left.scope, right.scope}:
            assert not set(left.keys) & set(right.keys), (left.id, right.id)


def test_every_key_of_the_registry_may_stand_in_a_keymap() -> None:
    for action in ACTIONS:
        assert parsed(**{action.id: list(action.keys)}) == ({action.id: action.keys}, [])
        assert not TERMINAL_BYTES & set(action.keys)


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ("f10", ("f10",)),
        ("Ctrl+Alt+X", ("ctrl+alt+x",)),
        ("shift+ctrl+up", ("ctrl+shift+up",)),
        (["f10", "f11"], ("f10", "f11")),
        (["f10", "f10"], ("f10",)),
        ([], ()),
        ("", ()),
    ],
)
def test_a_key_is_read_into_its_one_form(value: object, keys: tuple[str, ...]) -> None:
    assert parsed(help=value) == ({"help": keys}, [])


@pytest.mark.parametrize(
    "value", ["ctrl+", "hyper+x", "ctrl+i", "ctrl+[", "nokey", 3, ["f10", 1], True, "a b", "é", "y", "space"]
)
def test_what_is_no_key_is_found(value: object) -> None:
    holds, (finding,) = parsed(help=value)
    assert not holds
    assert finding.key == ("keymap", "help")


def test_single_letters_may_be_keys_where_nothing_is_typed() -> None:
    assert parsed(copy="z") == ({"copy": ("z",)}, [])


def test_an_unknown_action_is_found_with_the_nearest() -> None:
    _, (finding,) = parsed(hlep="f10")
    assert (finding.found, finding.allowed) == ("an unknown action", "help")


def test_an_action_that_is_like_none_is_told_where_they_are_listed() -> None:
    _, (finding,) = parsed(zzz="f10")
    assert finding.allowed == "the name of a command: F1 and the README list them"


def test_a_key_of_another_action_is_found_and_the_rest_holds() -> None:
    holds, (finding,) = parsed(help="ctrl+n", theme="f10")
    assert holds == {"theme": ("f10",)}
    assert finding.found == "ctrl+n, which is the key of new"


def test_two_actions_may_swap_their_keys() -> None:
    swapped = {"new": ("f1",), "help": ("ctrl+n",)}
    assert parsed(new="f1", help="ctrl+n") == (swapped, [])
    table = KeyTable.of(swapped)
    assert table.action(Scope.COMPOSER, "f1") is BY_ID["new"]
    assert table.label("help") == "Ctrl+N"


def test_a_places_own_action_goes_first() -> None:
    table = KeyTable.of({})
    assert table.action(Scope.COMPOSER, "up") is BY_ID["last-prompt"]
    assert table.action(Scope.TRANSCRIPT, "up") is BY_ID["previous-message"]
    assert table.action(Scope.TRANSCRIPT, "left_square_bracket", "[") is BY_ID["previous-heading"]
    assert table.action(Scope.SETTINGS, "up") is None
    assert table.action(Scope.SETTINGS, "f1") is BY_ID["help"]
    assert table.keys == DEFAULT_KEYS
