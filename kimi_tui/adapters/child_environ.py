"""The environment that other programs are started with: ours, without the keys."""

from __future__ import annotations

from collections.abc import Mapping

from kimi_tui.core.wire.dialects import DIALECTS

VARIABLES = tuple(name for dialect in DIALECTS.values() for name in dialect.key_variables)
"""Where the environment may hold an API key."""


def child_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Clipboard tools, browsers and whatever they start themselves have no need of the API key."""
    return {name: value for name, value in environ.items() if name not in VARIABLES}
