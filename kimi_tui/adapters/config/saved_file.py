"""`saved.toml`: what was set in the program, changed key by key. The user's own config file is never written."""

from __future__ import annotations

import contextlib
import copy
import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from pathlib import Path

from kimi_tui.adapters.config.config_file import toml_key
from kimi_tui.adapters.config.toml_file import TomlError, read_toml
from kimi_tui.adapters.files import make_private_dir, write_atomic
from kimi_tui.core.errors import ConfigError, StorageError
from kimi_tui.core.faults import reason_of
from kimi_tui.core.session.message_codec import encode_fields
from kimi_tui.core.settings.layers import Key
from kimi_tui.core.settings.settings import Settings, parse_settings

HEAD = "# Written by kimi-tui: what was set in the program. The config file beside it goes first.\n\n"
"""Comments do not survive a change of this file; the head says whose it is."""


def save(
    path: Path,
    changes: Mapping[Key, object | None],
    *,
    below: Settings | None = None,
    more_presets: Iterable[str] = (),
) -> None:
    """Change values in the saved file; what is not named stays. A missing file, and its folder, are made.

    `changes` has values by the path of their key, such as ("sampling", "top_p"); None removes the key. Request fields
    are plain values, as they go into a body; a preset is the table of its fields. `below` holds where the file says
    nothing: its dialect knows what request fields may hold; None = the defaults. `more_presets` are those of the config
    file, which may be chosen.

    Raises:
        ConfigError: The file is broken, a value is not allowed, or it cannot be written; the file is untouched.
    """
    try:
        make_private_dir(path.parent)
        with _alone(path.parent):
            before = _read(path)
            after = _changed(path, before, changes)
            if after != before:
                _check(path, before, after, below, tuple(more_presets))
                write_atomic(path, _text(after))
    except StorageError as error:
        raise ConfigError(error.summary, error.hint) from error


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other windows from changing the file meanwhile; a system without such locks goes without."""
    descriptor = None
    try:
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _read(path: Path) -> dict[str, object]:
    """A missing file is empty; one that cannot be read raises ConfigError."""
    hint = f"Mend or move {path}, then save again; nothing was changed."
    try:
        return read_toml(path)[1]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path} could not be read: {reason_of(error)}.", hint) from error
    except TomlError as error:
        raise ConfigError(f"{path} holds {error} in line {error.line}.", hint) from error


def _changed(path: Path, before: Mapping[str, object], changes: Mapping[Key, object | None]) -> dict[str, object]:
    after = copy.deepcopy(dict(before))
    for key, value in changes.items():
        *tables, name = key
        if value is None:
            _remove(after, tables, name)
        else:
            _table(path, after, tables)[name] = _encoded(key, value)
    return after


def _table(path: Path, document: dict[str, object], names: list[str]) -> MutableMapping[str, object]:
    """The table of that path, made where it is missing; ConfigError where something else stands in its place."""
    table: MutableMapping[str, object] = document
    for place, name in enumerate(names, 1):
        inner = table.setdefault(name, {})
        if not isinstance(inner, dict):
            raise ConfigError(
                f"{path}: {toml_key(tuple(names[:place]))} is no table, so nothing was saved.", "Mend it there first."
            )
        table = inner
    return table


def _remove(table: object, tables: list[str], name: str) -> None:
    """Take a key away, and the tables that have nothing else."""
    if not isinstance(table, dict):
        return
    if not tables:
        table.pop(name, None)
        return
    _remove(table.get(tables[0]), tables[1:], name)
    if table.get(tables[0]) == {}:
        del table[tables[0]]


def _encoded(key: Key, value: object) -> object:
    if key[0] == "presets" and isinstance(value, Mapping):
        instant = value.get("instant")
        encoded = encode_fields(value)
        return {**encoded, "instant": encode_fields(instant)} if isinstance(instant, Mapping) else encoded
    if key[0] == "sampling" and len(key) == 2:
        return encode_fields({key[1]: value})[key[1]]
    return value


def _check(
    path: Path, before: dict[str, object], after: dict[str, object], below: Settings | None, presets: tuple[str, ...]
) -> None:
    """ConfigError for a change that brings a mistake into the file; one that is there already does no harm."""
    old = parse_settings(before, below, more_presets=presets)[1]
    for problem in parse_settings(after, below, more_presets=presets)[1]:
        if problem not in old:
            raise ConfigError(
                f"{toml_key(problem.key)}: found {problem.found}, allowed {problem.allowed}.",
                f"Nothing was saved to {path}.",
            )


def _text(document: Mapping[str, object]) -> bytes:
    import tomli_w  # noqa: PLC0415 - few runs save settings

    try:
        return (HEAD + tomli_w.dumps(document)).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError("A value cannot be written as TOML.", "Nothing was saved.") from error
