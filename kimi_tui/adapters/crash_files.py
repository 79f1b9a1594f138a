"""Reports of faults, as files that only their owner may read; the newest few are kept."""

from __future__ import annotations

import contextlib
import os
import platform
import tempfile
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from kimi_tui import __version__
from kimi_tui.adapters.files import make_private_dir
from kimi_tui.core.crash_report import crash_report
from kimi_tui.core.errors import KimiError

FOLDER = "reports"
PREFIX = "kimi-tui-report-"
KEPT = 5
"""So many reports are kept in a folder."""


def write_crash_report(error: BaseException, data_dir: Path, command: str) -> Path | None:
    """Write down a fault: in the data folder, else in the system's folder for temporary files; None = in neither.

    `command` is what ran. Nothing is raised.
    """
    text = crash_report(error, _facts(command))
    with contextlib.suppress(KimiError, OSError):
        make_private_dir(folder := data_dir / FOLDER)
        return _write(text, folder)
    with contextlib.suppress(OSError):
        return _write(text, Path(tempfile.gettempdir()))
    return None


def _facts(command: str) -> dict[str, str]:
    return {
        "Written": datetime.now(UTC).strftime("%Y-%m-%d %H.%M.%S UTC"),
        "Command": command,
        "kimi-tui": __version__,
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        **{name: _version_of(name) for name in ("textual", "rich", "httpx")},
        "Platform": platform.platform(),
    }


def _version_of(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _write(text: str, folder: Path) -> Path:
    """`mkstemp` gives a new file of mode 0600, whatever stands there under any name."""
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f-")
    descriptor, name = tempfile.mkstemp(".txt", PREFIX + now, folder)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    _drop_old(folder)
    return Path(name)


def _drop_old(folder: Path) -> None:
    """What cannot be removed, such as another user's, stays."""
    for path in sorted(folder.glob(f"{PREFIX}*.txt"))[:-KEPT]:
        with contextlib.suppress(OSError):
            path.unlink()
