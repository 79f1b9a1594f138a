"""Names of hosts looked up in threads that nobody waits for.

The event loop's own are waited for when the program ends, and a lookup without an answer takes half a minute and more.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any


def look_names_up_aside(loop: asyncio.AbstractEventLoop) -> None:
    """From now on a lookup that is called off holds nothing up, the program's end included."""
    loop.getaddrinfo = _getaddrinfo  # type: ignore[method-assign]


async def _getaddrinfo(host: Any, port: Any, **options: int) -> list[Any]:
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[Any]] = loop.create_future()

    def settle(do: Callable[[Any], None], value: object) -> None:
        if not found.done():
            do(value)

    def look_up() -> None:
        do: Callable[[Any], None]
        value: object
        try:
            do, value = found.set_result, socket.getaddrinfo(host, port, **options)
        except (OSError, UnicodeError) as error:
            do, value = found.set_exception, error
        with suppress(RuntimeError):  # the loop has ended: nobody asks any more
            loop.call_soon_threadsafe(settle, do, value)

    threading.Thread(target=look_up, name="name lookup", daemon=True).start()
    return await found
