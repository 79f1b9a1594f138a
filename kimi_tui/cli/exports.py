"""Sessions as documents: the forms that `sessions export` and the screen's `/export` write alike."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.session import Session

FORMS_BY_ENDING: Mapping[str, str] = {
    "": "markdown",
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".json": "json",
    ".toml": "toml",
}
"""What a file's name says about its form."""


def form_of(path: Path | None) -> str:
    """The form that a file's ending names; Markdown where it has none, or there is no file.

    Raises:
        UsageError: It names a form that is not ours: a PDF is no Markdown.
    """
    form = FORMS_BY_ENDING.get("" if path is None else path.suffix.lower())
    if form is None:
        endings = ", ".join(ending for ending in FORMS_BY_ENDING if ending)
        raise UsageError(f"{path}: nothing is written in the form of its ending.", f"Known endings: {endings}.")
    return form


def render(session: Session, form: str) -> bytes:
    """Write a session in a form.

    Raises:
        ConversionError: The form cannot hold all of it.
    """
    from kimi_tui.adapters.store import session_text  # noqa: PLC0415
    from kimi_tui.core.prompt import documents  # noqa: PLC0415

    match form:
        case "json":
            return session_text.dump_json(session)
        case "toml":
            return session_text.TomlWriter().dump(session)
        case "text":
            return with_newline(documents.render_text(session)).encode()
        case _:
            return with_newline(documents.render_markdown(session)).encode()


def with_newline(text: str) -> str:
    """End a text with a line end, where it has none."""
    return text if text.endswith("\n") else text + "\n"
