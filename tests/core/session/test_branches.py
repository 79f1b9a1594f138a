"""Where branches begin, their names, and one as a session of its own."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kimi_tui.core.session import tree
from kimi_tui.core.session.codec import decode_session, encode_session
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.tree import branch_start, branched_off, name_of, with_name
from tests.core.session.trees import session_of, trees


@given(trees(), st.data())
def test_a_branch_begins_below_the_last_fork(session: Session, data: st.DataObject) -> None:
    message = data.draw(st.sampled_from(session.messages))
    path = [it.id for it in tree.branch(session, message.id)]
    start = branch_start(session, message.id)
    below = path[path.index(start) + 1 :]
    assert all(len(tree.alternatives(session, id_)) == 1 for id_ in below)
    assert start == path[0] or len(tree.alternatives(session, start)) > 1


@given(trees(), st.data())
def test_a_branch_as_a_session_holds_its_path_with_the_same_ids(session: Session, data: st.DataObject) -> None:
    message = data.draw(st.sampled_from(session.messages))
    cut = branched_off(session, message.id)
    assert cut.messages == tree.branch(session, message.id) == tree.branch(cut)
    assert cut.extra["source"] == f"{session.id} {message.id}"
    again, _ = decode_session(encode_session(cut)), None
    assert again.messages == cut.messages
    assert again.extra == cut.extra


def test_its_title_says_which_branch_it_is() -> None:
    session = session_of([None, 0, 0, 2])
    assert branched_off(session, "m4").title == "Trees (branch)"
    assert branched_off(with_name(session, "m3", "Stew"), "m4").title == "Trees (Stew)"
    assert branched_off(replace(session, title=""), "m4").title == "(branch)"


def test_a_name_is_one_line_and_not_endless() -> None:
    assert name_of("  Stew \n and  more ") == "Stew and more"
    assert len(name_of("word " * 50)) <= 60
    assert name_of(" \n") == ""


@given(trees(), st.data())
def test_a_name_changes_nothing_else(session: Session, data: st.DataObject) -> None:
    message = data.draw(st.sampled_from(session.messages))
    named = with_name(session, message.id, "Stew")
    assert tree.message_of(named, message.id).name == "Stew"
    assert with_name(named, message.id, "") == session
