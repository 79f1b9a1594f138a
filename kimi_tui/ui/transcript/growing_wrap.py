"""Wrapping a text that grows at its end: lines that can break nowhere else any more are kept."""

from __future__ import annotations

from collections.abc import Sequence

from kimi_tui.ui.transcript.lines import Line, Run, cut_runs, is_narrow, wrap

OPEN_LINES = 2
"""How many lines at the end may break elsewhere when text is added."""
_JOINING = "\n\u200d\ufe0f"
"""Text with one of these is wrapped from its beginning."""


class GrowingWrap:
    """Wraps a text again and again while it grows."""

    def __init__(self) -> None:
        self._runs: Sequence[Run] = ()
        self._width = 0
        self._is_narrow = True
        self._lines: list[Line] = []

    def wrap(self, runs: Sequence[Run], width: int) -> list[Line]:
        """The lines that `lines.wrap` gives."""
        text = "".join([run for run, _ in runs])
        narrow = is_narrow(text)
        kept, start = self._kept(runs, text) if width == self._width and narrow == self._is_narrow else ([], 0)
        self._lines = [*kept, *wrap(cut_runs(runs, start) if start else runs, width)]
        self._runs, self._width, self._is_narrow = runs, width, narrow
        return self._lines

    def _kept(self, runs: Sequence[Run], text: str) -> tuple[list[Line], int]:
        """The lines that stay, and how many characters they take."""
        lines = self._lines[:-OPEN_LINES]
        if not lines or any(char in text for char in _JOINING):
            return [], 0
        same = _same_chars(self._runs, runs)
        start = sum(len(line.text) + len(line.joint) for line in lines)
        # The lines behind them must be the same too: where a line ends depends on what did not fit on it.
        end = start + sum(len(line.text) + len(line.joint) for line in self._lines[-OPEN_LINES:-1])
        return (lines, start) if end < same else ([], 0)


def _same_chars(before: Sequence[Run], now: Sequence[Run]) -> int:
    count = 0
    for (old, old_style), (new, new_style) in zip(before, now, strict=False):
        if old_style != new_style:
            break
        if old != new:
            count += len(old) if new.startswith(old) else 0
            break
        count += len(old)
    return count
