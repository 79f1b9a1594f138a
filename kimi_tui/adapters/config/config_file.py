"""The config file and what was saved in the program, read; the example, written."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from kimi_tui.adapters.config.paths import saved_file, shipped
from kimi_tui.adapters.config.toml_file import TomlError, read_toml
from kimi_tui.adapters.files import make_private_dir, write_atomic
from kimi_tui.core.errors import ConfigError, StorageError, ThemeError
from kimi_tui.core.faults import reason_of
from kimi_tui.core.settings.layers import NO_LAYER, PRESETS, ConfigProblem, Key
from kimi_tui.core.settings.settings import ApiSettings, Settings, parse_settings
from kimi_tui.core.text.counts import counted
from kimi_tui.core.text.quoting import quoted
from kimi_tui.core.text.visible import visible_line

ConfigProblems = tuple[ConfigProblem, ...]
EXAMPLE = "config.example.toml"
MAX_PROBLEMS = 500
"""Most mistakes of one file that are told, a line each."""
MAX_KEY_CHARS = 200
"""Most characters of one part of a key that are told."""
_BARE_KEY = re.compile("[A-Za-z0-9_-]+")
_SET_KEY = re.compile(r"^(?=[a-z_]+ = )", re.MULTILINE)


class LoadedSettings(NamedTuple):
    settings: Settings
    """What is wrong in a file has its default."""
    problems: tuple[str, ...]
    """What is wrong, a line each: `FILE:LINE: KEY: found …, allowed …`."""
    config_keys: frozenset[Key]
    """Keys, such as ("api", "retries"), that the config file sets rightly."""
    saved_keys: frozenset[Key]
    notes: tuple[str, ...] = ()
    """What is no mistake, yet worth telling, a line each: a key that others can read."""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    text: str = ""
    data: Mapping[str, object] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    """Why it could not be read, in a line; () = it could, or there is none."""
    wrong: ConfigProblems = ()


def load_settings(path: Path, *, explicit: bool) -> LoadedSettings:
    """Read the config file, and below it in precedence `saved.toml` beside it.

    ConfigError where there is none, though `explicit`: the user named it.
    """
    if explicit and not _is_there(path):
        raise ConfigError(f"There is no config file {path}.", "`kimi-tui config init` writes one.")
    settings, file, saved_one = _parse(path)
    problems = tuple(line for it in (file, saved_one) for line in (*it.broken, *_lines(it, it.wrong)))
    return LoadedSettings(settings, problems, _keys(file), _keys(saved_one), (*_notes(file), *_notes(saved_one)))


def _parse(path: Path) -> tuple[Settings, _File, _File]:
    """The settings of the config file and the saved one, and both files, each with what is wrong in it."""
    file, saved_one = _read(path), _read(saved_file(path))
    presets = file.data.get("presets")
    names = tuple(presets) if isinstance(presets, dict) else ()
    api = parse_settings({"api": file.data.get("api", {})})[0].api  # its dialect says what the saved values may be
    saved, saved_wrong = parse_settings(saved_one.data, Settings(ApiSettings(dialect=api.dialect)), more_presets=names)
    own = {name for name, preset in saved.presets.items() if preset is not PRESETS.get(name)}.difference(names)
    below = replace(saved, saved_sampling=saved.sampling, sampling=NO_LAYER, saved_presets=frozenset(own))
    settings, wrong = parse_settings(file.data, below)
    return settings, replace(file, wrong=wrong), replace(saved_one, wrong=saved_wrong)


def theme_problems(path: Path) -> tuple[str, ...]:
    """Which of the two files chooses a theme that cannot be used, a line each.

    It is no problem of `load_settings`: such a theme keeps nobody from asking.
    """
    return tuple(line for file in (_read(path), _read(saved_file(path))) for line in _lines(file, _theme_wrong(file)))


def every_problem(path: Path) -> tuple[str, ...]:
    """What `load_settings` and `theme_problems` find, in the order of the lines."""
    _, *files = _parse(path)
    return tuple(line for it in files for line in (*it.broken, *_lines(it, (*it.wrong, *_theme_wrong(it)))))


def _theme_wrong(file: _File) -> ConfigProblems:
    ui = file.data.get("ui")
    name = ui.get("theme") if isinstance(ui, dict) else None
    if not isinstance(name, str):
        return ()
    from kimi_tui.adapters.config.theme_files import themes  # noqa: PLC0415

    known, problem = themes(file.path), quoted(name)
    if name in known:
        try:
            known[name]()
        except ThemeError as error:
            problem = f"{problem} ({error.summary.removesuffix('.')})"
        else:
            return ()
    return (ConfigProblem(("ui", "theme"), problem, ", ".join(sorted(known.keys() - {name}))),)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder above may not be entered: reading says so
        return True


def _read(path: Path) -> _File:
    """The text and the data of a file; a missing one is empty, a broken one too and says why."""
    try:
        return _File(path, *read_toml(path))
    except (FileNotFoundError, NotADirectoryError):
        return _File(path)
    except IsADirectoryError:
        line, found = 1, "a folder"
    except OSError as error:
        line, found = 1, f"what cannot be read ({reason_of(error)})"
    except TomlError as error:
        line, found = error.line, str(error)
    return _File(path, broken=(_line(path, line, "the file", found, "a text in TOML"),))


def _lines(file: _File, problems: ConfigProblems) -> list[str]:
    """What is wrong in a file, a line each, in the order of its lines."""
    if not problems:
        return []
    from kimi_tui.adapters.config.toml_lines import lines_of  # noqa: PLC0415 - for mistakes only

    lines = lines_of(file.text, [problem.key for problem in problems])
    placed = sorted(zip(lines, problems, strict=True), key=lambda pair: pair[0])
    told = [
        _line(file.path, line, toml_key(problem.key), problem.found, problem.allowed)
        for line, problem in placed[:MAX_PROBLEMS]
    ]
    more = len(placed) - len(told)
    return [*told, *([visible_line(f"{file.path}: {counted(more, 'mistake')} more")] if more else [])]


def _line(path: Path, line: int, key: str, found: str, allowed: str) -> str:
    return visible_line(f"{path}:{line}: {key}: found {found}, allowed {allowed}")


def toml_key(key: Key) -> str:
    """A key as TOML writes it: `presets."my own".top_p`."""
    short = (part if len(part) <= MAX_KEY_CHARS else f"{part[:MAX_KEY_CHARS]}…" for part in key)
    return ".".join(part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False) for part in short)


def _keys(file: _File) -> frozenset[Key]:
    """The keys of a file that hold; one that was found wrong does not."""
    wrong = {problem.key for problem in file.wrong}
    keys = {(name, key) for name, table in file.data.items() if isinstance(table, dict) for key in table}
    return frozenset(keys - wrong)


def _notes(file: _File) -> list[str]:
    secrets = _secrets(file.data.get("api"))
    if not secrets:
        return []
    try:
        mode = file.path.stat().st_mode & 0o777
    except OSError:
        return []
    if not mode & 0o077:
        return []
    words = f"{file.path} holds {' and '.join(secrets)} and can be read by others (mode {mode:04o}); mend it with: "
    return [visible_line(f"{words}chmod 600 {shlex.quote(str(file.path))}")]


def _secrets(api: object) -> list[str]:
    """What of the section "api" is for nobody else, in words."""
    if not isinstance(api, dict):
        return []
    found = ["the API key"] if api.get("api_key") else []
    found += ["headers that may be a key"] if api.get("headers") else []
    proxy = api.get("proxy")
    return found + (["a proxy's password"] if isinstance(proxy, str) and "@" in proxy else [])


def write_example(path: Path) -> None:
    """Write the example config with every key behind "#": a default that stood there would hold for ever.

    It would go before what is set in the program, and before the defaults of later versions.

    Raises:
        ConfigError: There is a file already, or it cannot be written.
    """
    try:
        if path.exists() or path.is_symlink():
            raise ConfigError(f"{path} is there already; nothing was written.")
        make_private_dir(path.parent)
        write_atomic(path, _SET_KEY.sub("# ", shipped(EXAMPLE).read_text("utf-8")).encode())
    except StorageError as error:
        raise ConfigError(error.summary, error.hint) from error
    except OSError as error:
        raise ConfigError(f"{path} could not be written: {reason_of(error)}.") from error
