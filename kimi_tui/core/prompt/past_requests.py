"""The requests that a session tells of, on any branch, in the order of its messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from kimi_tui.core.prompt.prompt_writer import past_parts
from kimi_tui.core.prompt.shared_prefix import SentInput
from kimi_tui.core.session.request_starts import TextSoFar, requests_of, texts_so_far
from kimi_tui.core.session.session import Message, Role, Session


class PastRequest(NamedTuple):
    reply: Message
    place: int
    """Which of its requests, from 0."""

    def is_same(self, other: PastRequest) -> bool:
        return (self.reply.id, self.place) == (other.reply.id, other.place)


def requests_known(reply: Message) -> Sequence[int]:
    """Which of the requests behind a reply can be rebuilt, by their places."""
    return [place for place, said in enumerate(texts_so_far(reply)) if said is not None]


def so_far(reply: Message, place: int) -> TextSoFar | None:
    """What it said when one of its requests was sent, where that is not how it began."""
    requests = requests_of(reply)
    return texts_so_far(reply)[place] if requests and requests[place].start is not None else None


def input_tokens_of(reply: Message, place: int) -> int | None:
    """What the endpoint counted of the input of one of its requests; None = it did not."""
    requests = requests_of(reply)
    usage = requests[place].usage if requests else reply.usage
    return None if usage is None else usage.input_tokens


def sent_input(session: Session, reply: Message, place: int) -> SentInput:
    """The input of one of the requests behind a reply; `place` is of `requests_known`."""
    return SentInput.of(past_parts(session, reply, so_far(reply, place)), reply.id, input_tokens_of(reply, place))


def last_request(reply: Message) -> PastRequest | None:
    """None = none was sent for it, or its input is not known."""
    return next((PastRequest(reply, place) for place in _known(reply)), None)


def newest_first(session: Session, before: PastRequest | None = None) -> Iterator[PastRequest]:
    """From the one before `before` on, or from the newest; of a reply that grows there are those that have begun.

    A `before` whose reply does not stand in the session is newer than all that do.
    """
    messages = session.messages
    end = len(messages)
    if before is not None:
        yield from (PastRequest(before.reply, each) for each in _known(before.reply) if each < before.place)
        end = next((place for place, it in enumerate(messages) if it.id == before.reply.id), end)
    for place in reversed(range(end)):
        yield from (PastRequest(messages[place], each) for each in _known(messages[place]))


class Requests:
    """Several in order, made as they are asked for."""

    def __init__(self, requests: Iterator[PastRequest]) -> None:
        self._rest, self._found = requests, list[PastRequest]()

    def at(self, index: int) -> PastRequest | None:
        """None = there are not so many."""
        while len(self._found) <= index and (more := next(self._rest, None)) is not None:
            self._found.append(more)
        return self._found[index] if 0 <= index < len(self._found) else None

    def index_of(self, reply_id: str) -> int | None:
        """The first of a reply's; None = it has none."""
        index = 0
        while (request := self.at(index)) is not None:
            if request.reply.id == reply_id:
                return index
            index += 1
        return None


def _known(message: Message) -> list[int]:
    """Those of a message, the last first; [] = it is no reply, or its input is not known."""
    return list(reversed(requests_known(message))) if message.role is Role.ASSISTANT else []
