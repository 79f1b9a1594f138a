"""The forms that an export may have, a row each: documents to read, and every format of session files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from kimi_tui.core.errors import UsageError
from kimi_tui.core.session.file_formats import FORMATS
from kimi_tui.core.session.session import Session


def _markdown(session: Session) -> bytes:
    from kimi_tui.core.prompt import documents  # noqa: PLC0415 - the names of the forms need none of it

    return documents.render_markdown(session).encode()


def _text(session: Session) -> bytes:
    from kimi_tui.core.prompt import documents  # noqa: PLC0415 - the names of the forms need none of it

    return documents.render_text(session).encode()


class ExportForm(NamedTuple):
    endings: tuple[str, ...]
    """What names of its files end in, the usual one first; "" = in nothing."""
    render: Callable[[Session], bytes]
    """Raises ConversionError where the form cannot hold all of it."""


EXPORT_FORMS: Mapping[str, ExportForm] = {
    "markdown": ExportForm((".md", ".markdown", ""), _markdown),
    "text": ExportForm((".txt",), _text),
    **{name: ExportForm((form.ending,), form.encode) for name, form in sorted(FORMATS.items())},
}
USUAL_ENDINGS = tuple(form.endings[0] for form in EXPORT_FORMS.values())


def export_form_of(suffix: str, file: str) -> ExportForm:
    """Markdown where there is no suffix; raises UsageError for a form that is not ours: a PDF is no Markdown."""
    by_ending = {ending: form for form in EXPORT_FORMS.values() for ending in form.endings}
    if (form := by_ending.get(suffix.lower())) is None:
        endings = ", ".join(ending for ending in by_ending if ending)
        raise UsageError(f"{file}: nothing is written in the form of its ending.", f"Known endings: {endings}.")
    return form
