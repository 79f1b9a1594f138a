"""Sessions as documents: the forms that `sessions export` and the screen's `/export` write alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kimi_tui.core.session import Session

FORMS_BY_ENDING: Mapping[str, str] = {".json": "json", ".toml": "toml", ".txt": "text"}
"""What a file's name says about its form; every other one is Markdown."""


def form_of(path: Path | None) -> str:
    """The form that a file's ending names; Markdown where it names none, or there is no file."""
    return "markdown" if path is None else FORMS_BY_ENDING.get(path.suffix.lower(), "markdown")


def render(session: Session, form: str) -> bytes:
    """Write a session in a form.

    Raises:
        ConversionError: The form cannot hold all of it.
    """
    from kimi_tui.adapters import session_text  # noqa: PLC0415
    from kimi_tui.core import export  # noqa: PLC0415

    match form:
        case "json":
            return session_text.dump_json(session)
        case "toml":
            return session_text.TomlWriter().dump(session)
        case "text":
            return with_newline(export.render_text(session)).encode()
        case _:
            return with_newline(export.render_markdown(session)).encode()


def with_newline(text: str) -> str:
    """End a text with a line end, where it has none."""
    return text if text.endswith("\n") else text + "\n"
