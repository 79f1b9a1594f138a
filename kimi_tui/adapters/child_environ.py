"""The environment that other programs are started with: ours, without the keys."""

from __future__ import annotations

from collections.abc import Mapping

VARIABLES = ("DEEPINFRA_TOKEN", "DEEPINFRA_API_KEY", "DEEPINFRA_API_TOKEN")
"""Where the environment may hold the API key, first one first."""


def child_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Clipboard tools, browsers and whatever they start themselves have no need of the API key."""
    return {name: value for name, value in environ.items() if name not in VARIABLES}
