"""What the engine asks of the world, as protocols; adapters and test doubles satisfy them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from kimi_tui.core.session.session import Session
from kimi_tui.core.wire.dialect import Dialect


class CompletionResponse(Protocol):
    """An answer of the endpoint whose status said success."""

    @property
    def is_event_stream(self) -> bool:
        """Whether the body is an event stream; otherwise it is one JSON document."""

    @property
    def request_id(self) -> str | None:
        """The endpoint's name for the request as its headers say it, None when they do not."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the decoded body in pieces whose borders mean nothing.

        Raises:
            CompletionError: The connection broke.
        """


class CompletionClient(Protocol):
    """Sends request bodies to the endpoint."""

    @property
    def dialect(self) -> Dialect:
        """How the endpoint is spoken to: what bodies say, and what its bytes mean."""

    def send(self, body: bytes, model: str) -> AbstractAsyncContextManager[CompletionResponse]:
        """POST the body; leaving the context closes the connection, which ends generation.

        How long an answer may take is the caller's business.

        Args:
            body: The request as JSON in UTF-8.
            model: The model that is asked; its name is part of the address.

        Raises:
            CompletionError: On entering, when the endpoint refuses or cannot be reached.
        """

    def without_secrets(self, words: str) -> str:
        """The endpoint's own words, without the key where it repeats it."""


class SessionStore(Protocol):
    """Keeps sessions."""

    async def save(self, session: Session) -> None:
        """Write the whole session, or leave the last whole one in place.

        Raises:
            StorageError: It could not be written.
        """


class Clock(Protocol):
    """Tells the time, so that tests can move it by hand."""

    def now(self) -> datetime:
        """The time of day, UTC, whole seconds."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    async def sleep(self, delay_s: float) -> None:
        """Wait that many seconds."""
