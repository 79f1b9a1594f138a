"""Sessions as plain data and back: the shape that TOML and JSON files share.

Keys that this version does not know are kept where they stood. What cannot be right (two messages of one id, a parent
that is not there, a circle) is refused with its place: a guess might send something else than was said.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.file_table import FileTable
from kimi_tui.core.session.message_codec import decode_message, encode_fields, encode_message, without_none
from kimi_tui.core.session.migrations import OLDEST, VERSION, migrated
from kimi_tui.core.session.session import DEFAULT_MODEL, Session
from kimi_tui.core.text.quoting import quoted

FORMAT = "kimi-tui/session"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of what names none."""


def encode_session(session: Session) -> dict[str, object]:
    """Write a session as plain data: strings, numbers, booleans, datetimes, lists and dicts, in the format's order.

    Raises StorageError where it was read from a newer version's file: what that means is not known here.
    """
    return encode_head(session) | {"messages": [encode_message(message) for message in session.messages]}


def encode_head(session: Session) -> dict[str, object]:
    """All but the messages; StorageError as `encode_session`."""
    refuse_if_newer(session)
    head: dict[str, object] = {
        "format": FORMAT,
        "version": VERSION,
        "id": session.id,
        "title": session.title,
        "created": session.created,
        "updated": session.updated,
        "model": session.model,
        "system": session.system,
        "tags": list(session.tags) or None,
        "head": session.head,
        "prompt_cache_key": session.prompt_cache_key,
        "written_by": session.written_by,
        **session.extra,
        "settings": encode_fields(session.settings) or None,
    }
    return without_none(head, session.extra)


def decode_session(data: object, known_at: datetime = EPOCH) -> Session:
    """`known_at` = its times, UTC, where it does not say them; StorageError says what is wrong, and where."""
    table = FileTable(data, "")
    found_format, version = table.text("format"), table.count("version")
    if found_format != FORMAT:
        raise StorageError(
            f"format: found {_found(found_format)}, allowed {quoted(FORMAT)}.", "This is no session of kimi-tui."
        )
    if version is None or version < OLDEST:
        raise StorageError(f"version: found {_found(version)}, allowed {_versions()}.")
    if version > VERSION:
        return _decode_newer(table, version, known_at)
    if version < VERSION:
        table = FileTable(migrated(table.rest, version, VERSION), "")
    return _decode_session(table, known_at)


def _versions() -> str:
    return f"{VERSION}" if OLDEST == VERSION else f"{OLDEST} to {VERSION}"


def _decode_newer(table: FileTable, version: int, known_at: datetime) -> Session:
    """Read what can be read of a newer version's file: as if it were one of ours, and never to be saved."""
    try:
        return replace(_decode_session(table, known_at), newer_version=version)
    except StorageError as error:
        raise StorageError(error.summary, f"A newer kimi-tui wrote it (version {version} of the file).") from None


def refuse_if_newer(session: Session) -> None:
    """Raise StorageError where it was read from a newer version's file."""
    if reason := read_only_reason(session):
        raise StorageError(reason, "A newer kimi-tui goes on with it; `kimi-tui sessions export` writes its text.")


def read_only_reason(session: Session) -> str:
    """Why a session can be read, but never saved; "" = it can be saved."""
    if not session.newer_version:
        return ""
    writer = f"kimi-tui {session.written_by}" if session.written_by else "a newer kimi-tui"
    found = f"version {session.newer_version} of the session file, and this one knows {_versions()}"
    return f"The session was written by {writer} ({found}): here it can be read, not changed."


def _decode_session(table: FileTable, known_at: datetime) -> Session:
    session = Session(
        id=table.needed_text("id"),
        title=table.text("title") or "",
        created=table.time("created") or known_at,
        updated=table.time("updated") or known_at,
        model=table.text("model") or DEFAULT_MODEL,
        system=table.text("system"),
        tags=table.texts("tags"),
        head=table.text("head"),
        prompt_cache_key=table.text("prompt_cache_key"),
        written_by=table.text("written_by"),
        settings=table.table("settings") or {},
        messages=table.rows("messages", decode_message),
        extra=table.others(),
    )
    _check_tree(session)
    return session


def _found(value: object | None) -> str:
    return "nothing" if value is None else quoted(value)


def _check_tree(session: Session) -> None:
    """Refuse what is no tree: ids that come twice, parents that are missing, circles, a head that is not there."""
    parents: dict[str, str | None] = {}
    for place, message in enumerate(session.messages):
        if message.id in parents:
            raise StorageError(f"messages[{place}].id: {quoted(message.id)} stands twice.")
        parents[message.id] = message.parent
    for place, message in enumerate(session.messages):
        if message.parent is not None and message.parent not in parents:
            raise StorageError(f"messages[{place}].parent: {quoted(message.parent)} is not in the file.")
    if session.head is not None and session.head not in parents:
        raise StorageError(f"head: {quoted(session.head)} is not in the file.")
    rooted: set[str] = set()
    for start in parents:
        trail: list[str] = []
        at: str | None = start
        while at is not None and at not in rooted:
            trail.append(at)
            at = parents[at]
            if len(trail) > len(parents):
                raise StorageError(f"messages: {quoted(start)} is its own ancestor.")
        rooted.update(trail)
