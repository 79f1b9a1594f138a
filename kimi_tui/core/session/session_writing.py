"""What session files are written of: pieces, none of them large, so that others may run between two of them.

Kept per message is what takes long to encode and is short; long texts are escaped anew, see `text_pieces`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.text.text_pieces import pieces_of

LONG_CHARS = 500
"""A text of more characters is not kept encoded: escaping it anew takes less than a millisecond for a megabyte."""


class LongText(NamedTuple):
    """A text that is escaped when it is written; no character's escape depends on another one."""

    text: str
    escape: Callable[[str], str]


def text_piece(text: str, escape: Callable[[str], str]) -> Piece:
    return LongText(text, escape) if len(text) > LONG_CHARS else escape(text)


Piece = str | LongText
Writer = Callable[[Session], Iterator[bytes]]
"""Writes a session as bytes in pieces, and may remember what it wrote last; ConversionError where it cannot hold it."""


class BlockCache:
    """The encoded blocks of messages: a save encodes what is new and no more."""

    def __init__(self, encode: Callable[[dict[str, object], int], Iterator[Piece]]) -> None:
        """`encode` writes a message, as plain data, at its place among the messages, from 0."""
        self._encode = encode
        self._blocks: dict[str, tuple[Message, tuple[bytes | LongText, ...]]] = {}

    def write(self, session: Session, separator: bytes) -> Iterator[bytes]:
        from kimi_tui.core.session.message_codec import encode_message  # noqa: PLC0415 - reading needs none of it

        kept: dict[str, tuple[Message, tuple[bytes | LongText, ...]]] = {}
        for place, message in enumerate(session.messages):
            known = self._blocks.get(message.id)
            if known is None or known[0] is not message:
                known = message, tuple(_joined(self._encode(encode_message(message), place)))
            kept[message.id] = known
            if place:
                yield separator
            yield from _written(known[1])
        self._blocks = kept


def written(pieces: Iterable[Piece]) -> Iterator[bytes]:
    return _written(_joined(pieces))


def _joined(pieces: Iterable[Piece]) -> Iterator[bytes | LongText]:
    """Join what is short."""
    for is_text, group in itertools.groupby(pieces, lambda piece: isinstance(piece, str)):
        if is_text:
            yield "".join(piece for piece in group if isinstance(piece, str)).encode("utf-8")
        else:
            yield from (piece for piece in group if isinstance(piece, LongText))


def _written(block: Iterable[bytes | LongText]) -> Iterator[bytes]:
    for piece in block:
        if isinstance(piece, bytes):
            yield piece
        else:
            yield from (piece.escape(text).encode("utf-8") for text in pieces_of(piece.text))
