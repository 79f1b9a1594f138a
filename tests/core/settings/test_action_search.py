"""Finding an action by what one types: what fits, and what fits best."""

from __future__ import annotations

import pytest

from kimi_tui.core.settings.action_search import rank, spans
from kimi_tui.core.settings.actions import ACTIONS, Action
from tests.counting import calls_in


def found(query: str) -> list[str]:
    ranks = {action.id: rank(action, query) for action in ACTIONS if action.in_palette}
    return sorted((name for name in ranks if ranks[name]), key=lambda name: -ranks[name])


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_is_found_by_its_title_its_id_and_its_aliases(action: Action) -> None:
    for name in (action.title, action.id, f"/{action.id}", *action.aliases, action.title.upper()):
        assert rank(action, name) > 0


@pytest.mark.parametrize("query", ["paste", "xyz", "cpy", "prvs", "nw ssn", "new paste", "[/]", "\\", "", "  "])
def test_letters_that_stand_about_in_a_text_are_no_match(query: str) -> None:
    assert found(query) == []


@pytest.mark.parametrize(
    ("query", "first"),
    [("copy", "copy"), ("new", "new"), ("quit", "quit"), ("exit", "quit"), ("delete preset", "delete-preset"),
     ("preset del", "delete-preset"), ("tem", "system"), ("colour", "theme"), ("stop", "stop")],
)  # fmt: skip
def test_what_is_named_so_stands_first(query: str, first: str) -> None:
    assert found(query)[0] == first


def test_a_key_names_its_action() -> None:
    assert rank(ACTIONS[0], "ctrl+n", ["Ctrl+N"]) > 0
    assert rank(ACTIONS[0], "ctrl+n", ["Ctrl+M"]) == 0


def test_where_the_words_stand() -> None:
    assert list(spans("Rename the session  (F6, /rename)", "sess name")) == [(11, 15), (2, 6)]
    assert list(spans("Rename the session", "paste")) == []


@pytest.mark.parametrize("text", ["the word ", "new ", "xyz "])
def test_a_page_that_was_pasted_costs_what_its_words_cost(text: str) -> None:
    def cost(times: int) -> int:
        return calls_in(lambda: [rank(action, text * times) for action in ACTIONS])

    assert cost(3_000) < 1.5 * cost(3)
