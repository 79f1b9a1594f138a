"""What was typed in the settings and not taken: kept by session and row until it is taken or thrown away."""

from __future__ import annotations

from dataclasses import dataclass

Texts = tuple[str, ...]
"""What stands in an editor: a text, or a name and a text; () = nothing is typed there."""


@dataclass(frozen=True, slots=True)
class UnsavedEdit:
    """What stood in an editor that was left."""

    typed: Texts = ()
    """Its texts; () = none."""
    about: str = ""
    """What of the row was edited, as the editor says."""


NO_UNSAVED_EDIT = UnsavedEdit()
"""Nothing was typed."""


class UnsavedEdits:
    """Keeps what was typed, so that no way of leaving an editor loses it."""

    def __init__(self) -> None:
        """Start empty."""
        self._kept: dict[str, dict[str, UnsavedEdit]] = {}
        self._open_rows: dict[str, str] = {}

    def keep(self, session_id: str, row_id: str, aside: UnsavedEdit) -> None:
        """Keep what was typed for a row, in place of what was kept before."""
        self._kept.setdefault(session_id, {})[row_id] = aside

    def drop(self, session_id: str, row_id: str) -> None:
        """Forget what was typed for a row, if anything was."""
        self._kept.get(session_id, {}).pop(row_id, None)

    def find(self, session_id: str, row_id: str) -> UnsavedEdit:
        """What was typed for a row; `NO_UNSAVED_EDIT` = nothing."""
        return self._kept.get(session_id, {}).get(row_id, NO_UNSAVED_EDIT)

    def rows(self, session_id: str) -> frozenset[str]:
        """The rows of a session for which something is kept."""
        return frozenset(self._kept.get(session_id, {}))

    def mark_open(self, session_id: str, row_id: str) -> None:
        """Remember that the row's editor was open when another session came."""
        self._open_rows[session_id] = row_id

    def take_open(self, session_id: str) -> str:
        """The row whose editor is to be opened again, told once; "" = none."""
        row_id = self._open_rows.pop(session_id, "")
        return row_id if row_id in self.rows(session_id) else ""
