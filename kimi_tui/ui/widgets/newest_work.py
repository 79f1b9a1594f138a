"""Work beside a widget of which only the newest matters."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from textual.dom import DOMNode
from textual.worker import Worker


def run_newest(node: DOMNode, work: Callable[[], Coroutine[Any, Any, None]], group: str) -> Worker[None]:
    """Run it until the node is gone, in place of what runs in its group.

    The coroutine is made when it runs: what is dropped before leaves none behind that nobody awaits.
    """
    return node.run_worker(work, group=group, exclusive=True, exit_on_error=False)
