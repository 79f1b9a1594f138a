"""The tree of a session: which branch is shown and sent, how it changes, and what its branches are called.

Pure functions over `Session`. Walking a branch costs one look at each of the session's messages, so callers do it once
per turn, not per token. An id that the session does not have raises KeyError everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from kimi_tui.core.session.kept_thinking import KeptThinking, first_kept
from kimi_tui.core.session.session import Message, Role, Session

TITLE_CHARS = 60
COPY, CONFLICT = "copy", "conflict"
"""What stands behind the title of a copy that was asked for, and of one that others made necessary."""
SOURCE = "source"
"""The key of a session's file that says where it came from."""
MAX_NAME_CHARS = 60
BRANCH = "branch"
"""What stands behind the title of a branch without a name that became a session."""


def branch(session: Session, leaf: str | None = None) -> tuple[Message, ...]:
    """List the messages from the root to a leaf; None = the head, or the last message where there is no head."""
    if not session.messages:
        return ()
    by_id = {message.id: message for message in session.messages}
    at: str | None = leaf or session.head or session.messages[-1].id
    found: list[Message] = []
    while at is not None:
        message = by_id[at]
        found.append(message)
        at = message.parent
    return tuple(reversed(found))


def alternatives(session: Session, message_id: str) -> tuple[Message, ...]:
    """List the messages with the same parent, itself included, in order of creation."""
    parent = message_of(session, message_id).parent
    return tuple(message for message in session.messages if message.parent == parent)


def message_of(session: Session, message_id: str) -> Message:
    found = session.find(message_id)
    if found is None:
        raise KeyError(message_id)
    return found


def _children(session: Session) -> dict[str | None, list[str]]:
    """Ids of the messages below each message, in order of creation; those without a parent below None."""
    found: dict[str | None, list[str]] = {}
    for message in session.messages:
        found.setdefault(message.parent, []).append(message.id)
    return found


def _subtree(session: Session, message_id: str) -> set[str]:
    children = _children(session)
    found, waiting = set[str](), [message_of(session, message_id).id]
    while waiting:
        at = waiting.pop()
        found.add(at)
        waiting += children.get(at, [])
    return found


def newest_leaf(session: Session, message_id: str) -> str:
    """Find the newest message at or below one that has nothing below itself."""
    below, parents = _subtree(session, message_id), _children(session).keys()
    return next(m.id for m in reversed(session.messages) if m.id in below and m.id not in parents)


def before_question(messages: Sequence[Message]) -> Sequence[Message]:
    """What of a branch stands before its next question: that takes the place of one that got no reply."""
    is_open = bool(messages) and messages[-1].role is Role.USER
    return messages[:-1] if is_open else messages


def question_parent(session: Session) -> str | None:
    """The head; but where that is a question that got no reply, the next question is its alternative."""
    messages = before_question(branch(session))
    return messages[-1].id if messages else None


def before(session: Session, message_id: str) -> Session:
    """A view of a session that ends right before a message, as its alternative would find it; not to be saved."""
    return ending_with(session, message_of(session, message_id).parent)


def ending_with(session: Session, message_id: str | None) -> Session:
    """A view of a session that ends with a message, None = with none; not to be saved."""
    return replace(session, head=None, messages=()) if message_id is None else replace(session, head=message_id)


def with_thinking(messages: Sequence[Message], kept: KeptThinking, sends: Callable[[Message], bool]) -> frozenset[str]:
    """Ids of the replies whose thinking is sent along; `sends` says of a message whether it is sent at all."""
    if kept == 0:
        return frozenset()
    turns = [message.id for message in messages if message.role is Role.ASSISTANT and sends(message)]
    return frozenset(turns[first_kept(len(turns), kept) :])


def select(session: Session, message_id: str) -> Session:
    """Choose an alternative: the newest leaf below it becomes the head."""
    return replace(session, head=newest_leaf(session, message_id))


def without(session: Session, message_id: str) -> Session:
    """Delete a message and everything below it; the head becomes the newest leaf below its parent, else the parent."""
    doomed = _subtree(session, message_id)
    parent = message_of(session, message_id).parent
    rest = replace(session, messages=tuple(m for m in session.messages if m.id not in doomed))
    if branch(session)[-1].id not in doomed:
        return rest
    if parent is not None:
        return replace(rest, head=newest_leaf(rest, parent))
    parents = _children(rest).keys()
    leaves = (message.id for message in reversed(rest.messages) if message.id not in parents)
    return replace(rest, head=next(leaves, None))


def with_replies(session: Session, replies: Sequence[Message], now: datetime, *, is_aside: bool = False) -> Session:
    """Add replies to the same question, or put one in the place of the message with its id.

    The first of them becomes the head, where the head is nothing or the question, unless others are shown beside it
    (`is_aside`). Those that grew side by side stand in the order in which they began, whichever ended first.
    """
    here = {message.id for message in session.messages}
    changed = {reply.id: reply for reply in replies if reply.id in here}
    kept = [changed.get(message.id, message) for message in session.messages]
    head = replies[0].id if session.head in {None, replies[0].parent} and not is_aside else session.head
    for reply in replies:
        if reply.id not in here:
            family = [(place, other.id) for place, other in enumerate(kept) if other.parent == reply.parent]
            later = next((place for place, id_ in family if is_later(id_, reply.id)), len(kept))
            kept.insert(later, reply)
    return replace(session, messages=tuple(kept), head=head, updated=now)


def is_later(left: str, right: str) -> bool:
    """Whether of two ids of our own kind, "mN", the left one was taken after the right one."""
    return left[:1] == right[:1] == "m" and (len(left), left) > (len(right), right)


def sharing_messages(session: Session, known: Session) -> Session:
    """The same session with the message objects of another where they are equal: what is made of each stays good."""
    old = {message.id: message for message in known.messages}
    found = tuple(old[m.id] if m.id in old and old[m.id] == m else m for m in session.messages)
    return replace(session, messages=found)


def copied(session: Session, session_id: str, cache_key: str | None, word: str) -> Session:
    """A session of its own that says the same and has no file; `word` stands behind its title, in parentheses."""
    title = f"{session.title} ({word})".lstrip()
    return replace(session, id=session_id, title=title, prompt_cache_key=cache_key, path="")


def with_system(session: Session, system: str | None) -> Session:
    """Set the system prompt, and note the old one on the replies it was sent for, so that they can be rebuilt."""
    if system == session.system:
        return session
    old: str | Literal[False] = False if session.system is None else session.system
    messages = tuple(
        replace(message, system=old) if message.role is Role.ASSISTANT and message.system is None else message
        for message in session.messages
    )
    return replace(session, system=system, messages=messages)


def title_of(text: str) -> str:
    """Make a title of the first message: one line, cut at a word."""
    folded = " ".join(text.split(maxsplit=TITLE_CHARS)[:TITLE_CHARS])  # so many words are always too long
    if len(folded) <= TITLE_CHARS:
        return folded
    cut = folded[: TITLE_CHARS - 1]
    head, _, _ = cut.rpartition(" ")
    return (head if len(head) > TITLE_CHARS // 2 else cut) + "…"


@dataclass(frozen=True, slots=True)
class SentContext:
    """What a reply's prompt said besides its messages; a reply notes what the session does not say any more."""

    system: str | None
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, session: Session, left_out: Set[str] | None = None) -> SentContext:
        """Note it of a session whose head is the question; `left_out` None = what is excluded, no more and no less."""
        gone = (m.id for m in branch(session) if (m.excluded if left_out is None else m.id in left_out))
        return cls(session.system, tuple(gone))

    def noted_on(self, reply: Message, session: Session) -> Message:
        """Put onto a reply what the session does not say any more; a raw input says all of it itself."""
        if reply.raw_input is not None:
            return reply
        sent: str | Literal[False] = False if self.system is None else self.system
        return replace(reply, system=None if self.system == session.system else sent, left_out=self.left_out)


# -- where a branch begins, what it is called, and one as a session of its own


def branch_start(session: Session, message_id: str) -> str:
    """Find the message where the branch of another begins: below the last fork above it, else the first of all.

    KeyError where there is no such message.
    """
    siblings = Counter(message.parent for message in session.messages)
    path = branch(session, message_id)
    return next((it.id for it in reversed(path) if siblings[it.parent] > 1), path[0].id)


def name_of(text: str) -> str:
    """What a branch is called by a text that was typed: one line; "" = nothing."""
    return " ".join(text.split())[:MAX_NAME_CHARS].rstrip()


def with_name(session: Session, message_id: str, name: str) -> Session:
    """Let the branch that begins with a message be called so; "" = nothing."""
    messages = tuple(replace(it, name=name) if it.id == message_id else it for it in session.messages)
    return replace(session, messages=messages)


def branched_off(session: Session, message_id: str) -> Session:
    """A session up to a message, with the same ids, that says what it was taken from; its own id is still the old one.

    KeyError where there is no such message.
    """
    path = branch(session, message_id)
    start = branch_start(session, message_id)
    name = next(it.name for it in path if it.id == start) or BRANCH
    return replace(
        session,
        title=f"{session.title} ({name})".lstrip(),
        messages=path,
        head=path[-1].id,
        extra={**session.extra, SOURCE: f"{session.id} {message_id}"},
    )
