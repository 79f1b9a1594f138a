"""The config file and what was saved in the program, read; the example, written."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from kimi_tui.adapters.files import make_private_dir, write_atomic
from kimi_tui.adapters.paths import saved_file, shipped
from kimi_tui.core.errors import ConfigError, StorageError
from kimi_tui.core.settings import Finding, Settings, parse_settings
from kimi_tui.core.toml_lines import locate

EXAMPLE = "config.example.toml"


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings of both files."""

    settings: Settings
    """The settings; what is wrong in a file has its default."""
    findings: tuple[str, ...]
    """What is wrong, a line each: `FILE:LINE: KEY: found …, allowed …`."""
    config_keys: frozenset[tuple[str, ...]]
    """Keys that the config file sets."""
    saved_keys: frozenset[tuple[str, ...]]
    """Keys that were saved in the program."""


def load_settings(path: Path, *, explicit: bool) -> LoadedSettings:
    """Read the config file, and below it in precedence `saved.toml` beside it.

    Args:
        path: The config file.
        explicit: Whether the user named it; then it has to be there.

    Raises:
        ConfigError: A named file is not there, or a file cannot be read at all.
    """
    if explicit and not path.is_file():
        raise ConfigError(f"There is no config file {path}.", "`kimi-tui config init` writes one.")
    findings: list[str] = []
    saved_data = _read(saved_file(path), findings)
    saved, wrong = parse_settings(saved_data[1])
    findings += _lines(saved_file(path), saved_data[0], wrong)
    data = _read(path, findings)
    settings, wrong = parse_settings(
        data[1], replace(saved, saved_sampling=saved.sampling, sampling=Settings().sampling)
    )
    findings += _lines(path, data[0], wrong)
    return LoadedSettings(settings, tuple(findings), _keys(data[1]), _keys(saved_data[1]))


def _read(path: Path, findings: list[str]) -> tuple[str, dict[str, object]]:
    """The text and the data of a file; a broken one is a finding, a missing one is empty."""
    try:
        text = path.read_bytes().decode("utf-8")
        return text, tomllib.loads(text)
    except FileNotFoundError:
        return "", {}
    except OSError as error:
        findings.append(f"{path}:1: the file: found {error.strerror}, allowed a readable file")
    except UnicodeDecodeError:
        findings.append(f"{path}:1: the file: found bytes that are not UTF-8, allowed TOML")
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        words = str(error)
        _, _, place = words.partition("at line ")
        line = place.split(",")[0] if place else str(text.count("\n") + 1)
        findings.append(f"{path}:{line}: the file: found {words}, allowed TOML")
    return "", {}


def _lines(path: Path, text: str, findings: tuple[Finding, ...]) -> list[str]:
    return [
        f"{path}:{locate(text, finding.key)}: {'.'.join(finding.key)}: found {finding.found}, allowed {finding.allowed}"
        for finding in findings
    ]


def _keys(data: dict[str, object]) -> frozenset[tuple[str, ...]]:
    return frozenset((name, key) for name, table in data.items() if isinstance(table, dict) for key in table)


def write_example(path: Path) -> None:
    """Write the example config.

    Raises:
        ConfigError: There is a file already, or it cannot be written.
    """
    if path.exists():
        raise ConfigError(f"{path} is there already; nothing was written.")
    try:
        make_private_dir(path.parent)
        write_atomic(path, shipped(EXAMPLE).read_bytes())
    except StorageError as error:
        raise ConfigError(error.summary, error.hint) from error
