"""Names of hosts looked up in threads that nobody waits for.

The event loop's own are waited for when the program ends, and a lookup without an answer takes half a minute and more.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import Future
from typing import Any


def look_names_up_aside(loop: asyncio.AbstractEventLoop) -> None:
    """From now on a lookup that is called off holds nothing up, the program's end included."""
    loop.getaddrinfo = _getaddrinfo  # type: ignore[method-assign]


async def _getaddrinfo(host: Any, port: Any, **options: int) -> list[Any]:
    found = Future[list[Any]]()
    found.set_running_or_notify_cancel()  # it cannot be called off any more, only left

    def look_up() -> None:
        try:
            found.set_result(socket.getaddrinfo(host, port, **options))
        except (OSError, UnicodeError) as error:
            found.set_exception(error)

    threading.Thread(target=look_up, name="name lookup", daemon=True).start()
    return await asyncio.wrap_future(found)
