"""`kimi-tui config`: where the config lies, what is wrong in it, and what holds."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import fields
from typing import TYPE_CHECKING

from kimi_tui.cli.status import BAD_USAGE, DONE

if TYPE_CHECKING:  # the name of a type only
    from kimi_tui.cli.context import Context


SECRETS = {("api", "api_key"), ("api", "api_key_command"), ("api", "headers"), ("api", "proxy")}
"""Values that may hold a key or a password: only said to be set."""


def run(options: Namespace, context: Context) -> int:
    """Do what the action says.

    Raises:
        ConfigError: The config cannot be read or written.
    """
    return ACTIONS[options.action](options, context)


def _path(options: Namespace, context: Context) -> int:
    del options
    context.write_line(str(context.config_path))
    return DONE


def _init(options: Namespace, context: Context) -> int:
    from kimi_tui.adapters.config_file import write_example  # noqa: PLC0415

    del options
    write_example(context.config_path)
    context.write_line(str(context.config_path))
    return DONE


def _check(options: Namespace, context: Context) -> int:
    del options
    findings = context.load().findings
    for finding in findings:
        context.write_line(finding)
    if not findings:
        context.write_line("All is well.")
    return BAD_USAGE if findings else DONE


def _show(options: Namespace, context: Context) -> int:
    from kimi_tui.core.sampling import resolve_sources  # noqa: PLC0415
    from kimi_tui.core.settings import SECTIONS, keys_of  # noqa: PLC0415

    settings, loaded = context.settings_or_tell(), context.load()
    rows: dict[str, dict[str, object]] = {}
    for section, kind in SECTIONS.items():
        values = getattr(settings, section)
        assert fields(kind)
        for key, name in keys_of(kind).items():
            value: object = getattr(values, name)
            if (section, key) in SECRETS and value:
                value = "set"
            rows[f"{section}.{key}"] = {"value": value, "source": _source((section, key), context)}
    sources, _ = resolve_sources(settings, None)
    for name, (value, source) in sources.items():
        rows[f"sampling.{name}"] = {"value": value, "source": source}
    del loaded
    if options.json:
        context.write_line(json.dumps(rows, ensure_ascii=False, default=dict))
        return DONE
    width = max(len(key) for key in rows)
    for key, row in rows.items():
        text = json.dumps(row["value"], ensure_ascii=False, default=dict)
        context.write_line(f"{key:<{width}}  {text}  ({row['source']})")
    return DONE


def _source(key: tuple[str, str], context: Context) -> str:
    options, loaded = context.options, context.load()
    if key in {("api", "base_url"), ("api", "model"), ("ui", "theme")} and getattr(options, key[1], None):
        return "command line"
    if key in loaded.config_keys:
        return "config"
    return "saved" if key in loaded.saved_keys else "default"


ACTIONS = {"path": _path, "init": _init, "check": _check, "show": _show}
"""What each action does."""
