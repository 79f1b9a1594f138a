"""The formats of session files, a row each: what their names end in, how they are written and read.

Whatever names or tells apart formats asks this table: the list of sessions, settings, options, imports and exports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from kimi_tui.core.errors import StorageError
from kimi_tui.core.session import session_json, session_toml
from kimi_tui.core.session.migrations import as_it_is
from kimi_tui.core.session.session import Session
from kimi_tui.core.session.session_writing import Writer

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.core.session.salvage import Salvaged


class Decode(Protocol):
    def __call__(self, text: str, make_row: Callable[[object], object] = ...) -> object:
        """Make plain data of a text; raises ValueError, or RecursionError where it is nested too deeply.

        What `make_row` makes of a message may stand in its place: thousands as plain data take more than the file.
        """


class FileFormat(NamedTuple):
    name: str
    make_writer: Callable[[], Writer]
    """Makes what writes one session again and again."""
    decode: Decode
    salvage: Callable[[str], Salvaged]
    """Reads what it can of a damaged file."""
    has_whole_end: Callable[[str], bool] = lambda _: True
    """Whether the end of a text that can be read is surely all there."""
    imported_endings: tuple[str, ...] = ()
    """Endings of files of other programs that are read the same way."""
    looks_like: Callable[[str], bool] = lambda _: False
    """Whether a text without a name is likely to be of it."""

    @property
    def ending(self) -> str:
        """What makes a file in the folder of sessions one of this format."""
        return f".{self.name}"

    @property
    def title(self) -> str:
        return self.name.upper()

    def encode(self, session: Session) -> bytes:
        """Raises ConversionError where the format cannot hold a value; the summary names its key."""
        return b"".join(self.make_writer()(session))

    def load(self, data: bytes, make_row: Callable[[object], object] = as_it_is) -> object:
        """Make plain data, as `Decode` does; raises StorageError where it is not of this format, and says where."""
        try:
            text = data.decode("utf-8-sig")
            del data  # as large as all that is read from it
            return self.decode(text, make_row)
        except UnicodeDecodeError as error:
            raise StorageError(f"it is not UTF-8 (byte {error.start}).") from None
        except RecursionError:
            raise StorageError("it is nested too deeply.") from None
        except ValueError as error:
            raise StorageError(f"it is no {self.title}: {error}.") from None


def _salvage_toml(text: str) -> Salvaged:
    from kimi_tui.core.session import toml_salvage  # noqa: PLC0415 - few files are damaged

    return toml_salvage.salvage(text)


def _salvage_json(text: str) -> Salvaged:
    from kimi_tui.core.session import json_salvage  # noqa: PLC0415 - few files are damaged

    return json_salvage.salvage(text)


FORMATS: Mapping[str, FileFormat] = {
    form.name: form
    for form in (
        FileFormat(
            "toml",
            session_toml.TomlWriter,
            session_toml.decode,
            _salvage_toml,
            session_toml.has_whole_end,
        ),
        FileFormat(
            "json",
            session_json.JsonWriter,
            session_json.decode,
            _salvage_json,
            imported_endings=(".jsonl", ".ndjson"),
            looks_like=session_json.looks_like,
        ),
    )
}
"""The first one is what a file is taken for whose name says nothing."""
DEFAULT = next(iter(FORMATS.values()))
ENDINGS = tuple(form.ending for form in FORMATS.values())
"""What makes a file in the folder a session."""
IMPORTED = {form.ending: form for form in FORMATS.values()} | {
    ending: form for form in FORMATS.values() for ending in form.imported_endings
}
"""What can be imported, by the endings of names."""


def format_of(suffix: str) -> FileFormat:
    """In either case; the default where the suffix says nothing."""
    return FORMATS.get(suffix.lower().removeprefix("."), DEFAULT)


def likely_formats(text: str) -> list[FileFormat]:
    """All formats, those first that a text without a name is likely to be of."""
    return sorted(FORMATS.values(), key=lambda form: not form.looks_like(text))
