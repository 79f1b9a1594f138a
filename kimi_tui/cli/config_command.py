"""`kimi-tui config`: where the config lies, what is wrong in it, and what holds."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kimi_tui.cli.exit_status import BAD_USAGE, DONE

if TYPE_CHECKING:  # the names of types only
    from kimi_tui.adapters.config.config_file import LoadedSettings
    from kimi_tui.cli.configuration import Configuration
    from kimi_tui.cli.console import Console
    from kimi_tui.core.settings.settings import Settings

OPTIONS = {("api", "base_url"): "base_url", ("api", "model"): "model", ("ui", "theme"): "theme"}
"""Keys that an option of the command line overrides."""


@dataclass(frozen=True, slots=True)
class _Row:
    value: object
    source: str


def run(options: Namespace, console: Console, config: Configuration) -> int:
    """Raises ConfigError where the config cannot be read or written."""
    return ACTIONS[options.action](console, config)


def _path(console: Console, config: Configuration) -> int:
    console.write_line(str(config.path))
    return DONE


def _init(console: Console, config: Configuration) -> int:
    from kimi_tui.adapters.config.config_file import write_example

    write_example(config.path)
    console.write_line(str(config.path))
    return DONE


def _check(console: Console, config: Configuration) -> int:
    from kimi_tui.adapters.config.config_file import every_problem

    loaded = config.load()
    if not config.path.exists():  # what stands in another file has no effect
        console.tell(f"{config.path} is not there; the defaults hold", "`kimi-tui config init` writes it.")
    findings = (*loaded.notes, *every_problem(config.path))
    for finding in findings:
        console.write_line(finding)
    if not findings:
        console.write_line("All is well.")
    return BAD_USAGE if findings else DONE


def _show(console: Console, config: Configuration) -> int:
    from kimi_tui.adapters.config.config_file import theme_problems

    settings, loaded = config.settings_or_tell(console), config.load()
    for problem in theme_problems(config.path):
        console.tell(problem)
    rows = {
        **_place_rows(config),
        **_section_rows(settings, loaded, config),
        **_sampling_rows(settings),
        **_preset_rows(settings, loaded),
    }
    if config.options.json:
        plain = {key: {"value": row.value, "source": row.source} for key, row in rows.items()}
        console.write_line(json.dumps(plain, ensure_ascii=False))
        return DONE
    width = max(len(key) for key in rows)
    for key, row in rows.items():
        value = "not sent" if row.value is None else json.dumps(row.value, ensure_ascii=False)
        console.write_line(f"{key:<{width}}  {value}  ({row.source})")
    return DONE


def _place_rows(config: Configuration) -> dict[str, _Row]:
    rows: dict[str, _Row] = {}
    for name, variable, path in (
        ("config", "KIMI_TUI_CONFIG", config.path),
        ("data_dir", "KIMI_TUI_DATA_DIR", config.data_dir),
    ):
        source = "environment" if config.environ.get(variable) else "default"
        rows[name] = _Row(str(path), "command line" if getattr(config.options, name) else source)
    return rows


def _section_rows(settings: Settings, loaded: LoadedSettings, config: Configuration) -> dict[str, _Row]:
    from kimi_tui.core.settings.settings import SECTIONS, keys_of

    rows: dict[str, _Row] = {}
    for section, kind in SECTIONS.items():
        values = getattr(settings, section)
        for key, name in keys_of(kind).items():
            place = (section, key)
            source = _source(place, loaded)
            if place in OPTIONS and getattr(config.options, OPTIONS[place]):
                source = "command line"
            rows[f"{section}.{key}"] = _Row(_safe(place, getattr(values, name)), source)
    if any(config.environ.get(variable) for variable in settings.dialect.key_variables):
        rows["api.api_key"] = _Row("set", "environment")
    return rows


def _source(key: tuple[str, str], loaded: LoadedSettings) -> str:
    if key in loaded.config_keys:
        return "config file"
    return "saved.toml" if key in loaded.saved_keys else "default"


def _safe(key: tuple[str, str], value: object) -> object:
    """A value that may be shown: of what holds, or tells, a key or a password only that it is set."""
    from kimi_tui.core.settings.settings import SECRETS
    from kimi_tui.core.text.quoting import without_password

    if isinstance(value, Mapping):
        return {name: "set" if key in SECRETS else inner for name, inner in value.items()}
    if key in SECRETS:
        return "set" if value else "not set"
    return without_password(value) if isinstance(value, str) else value


def _sampling_rows(settings: Settings) -> dict[str, _Row]:
    from kimi_tui.adapters.config.config_file import toml_key
    from kimi_tui.core.settings.sampling import resolve_sources

    resolved = resolve_sources(settings, None)
    rows = {f"sampling.{name}": _Row(resolved.values.get(name), source) for name, source in resolved.sources.items()}
    for name, value in resolved.extra.items():
        rows[toml_key(("sampling", "extra", name))] = _Row(value, resolved.extra_sources[name])
    return rows


def _preset_rows(settings: Settings, loaded: LoadedSettings) -> dict[str, _Row]:
    from kimi_tui.adapters.config.config_file import toml_key

    rows: dict[str, _Row] = {}
    for name, preset in settings.presets.items():
        rows[toml_key(("presets", name))] = _Row(preset.table, _source(("presets", name), loaded))
    return rows


ACTIONS = {"path": _path, "init": _init, "check": _check, "show": _show}
