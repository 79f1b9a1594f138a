"""A JSON schema from a file, as a response format holds one."""

from __future__ import annotations

import json
import re
from pathlib import Path

from kimi_tui.adapters.files import read_file
from kimi_tui.core.errors import UsageError
from kimi_tui.core.faults import reason_of

NAME_CHARS = re.compile(r"[^A-Za-z0-9_-]+")
"""What the name of a schema does not hold."""


def load_schema(path: Path) -> dict[str, object]:
    """Read a schema as {"name", "schema"}; a bare one is named after its file. UsageError where it is none."""
    try:
        schema = json.loads(read_file(path, is_pipe_allowed=True))
    except OSError as error:
        raise UsageError(f"{path}: {reason_of(error)}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON.") from error
    if not isinstance(schema, dict):
        raise UsageError(f"{path}: a schema is a JSON object.")
    if isinstance(schema.get("name"), str) and isinstance(schema.get("schema"), dict):
        return schema
    return {"name": NAME_CHARS.sub("_", path.stem) or "schema", "schema": schema}
