"""A damaged session file: what is wrong with it, and a whole session of what can still be read.

Of a text that was cut the messages that were whole are given, and no part of one that was not.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count

from kimi_tui.core.errors import StorageError
from kimi_tui.core.session.codec import EPOCH, FORMAT, decode_session
from kimi_tui.core.session.file_formats import FileFormat
from kimi_tui.core.session.message_codec import decode_message
from kimi_tui.core.session.migrations import OLDEST, VERSION, migrated
from kimi_tui.core.session.salvage import TORN, Damage, Row, Salvaged
from kimi_tui.core.session.session import Message, Session
from kimi_tui.core.text.quoting import quoted

BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Repaired:
    session: Session | None
    """A session that can be saved; None = nothing of one can be read."""
    damages: tuple[Damage, ...] = ()
    """In the order of the file; () = it is whole."""
    lost: int = 0
    """How many messages were left out; one that is torn may stand for more, since nobody can tell."""
    recovered: str = ""
    """What else came into it, of a journal, in a line; "" = nothing."""


def repair(data: bytes, form: FileFormat, name: str, known_at: datetime = EPOCH) -> Repaired:
    """Read what can be read; `name` is the id, and `known_at` the times, of a session that has lost its own."""
    damages = list[Damage]()
    text = _text(data, damages)
    found = _salvaged(text, form)
    damages += found.damages
    if refusal := _foreign(found.head):
        return Repaired(None, (*damages, Damage(None, refusal)))
    is_ours = "format" in found.head
    rows = _migrated(found, damages)
    session = _head(found.head, name, known_at, damages)
    messages = _messages(rows, damages)
    lost = len(rows) - len(messages)
    if found.is_torn:
        damages.append(Damage(text.count("\n") + 1, TORN))
    if not messages and not is_ours:
        return Repaired(None, tuple(damages), lost)
    whole = _tree(messages, damages)
    ids = {message.id for message in whole}
    head = session.head
    if head is not None and head not in ids:
        damages.append(Damage(None, f"head: {quoted(head)} is not in the file; in a copy it is the last message."))
        head = whole[-1].id if whole else None
    return Repaired(replace(session, messages=whole, head=head), tuple(damages), lost)


def _text(data: bytes, damages: list[Damage]) -> str:
    """Decode a file: NUL bytes at its end, which a crash leaves, are no text, and what is no UTF-8 becomes U+FFFD."""
    kept = data.removeprefix(BOM).rstrip(b"\0")
    if nul := len(data.removeprefix(BOM)) - len(kept):
        damages.append(Damage(kept.count(b"\n") + 1, f"{nul} NUL bytes stand at the end of the file."))
    try:
        return kept.decode("utf-8")
    except UnicodeDecodeError as error:
        line = kept.count(b"\n", 0, error.start) + 1
        damages.append(Damage(line, f"not UTF-8 (byte {error.start}); what cannot be read becomes U+FFFD."))
        return kept.decode("utf-8", "replace")


def _salvaged(text: str, form: FileFormat) -> Salvaged:
    """Read a text piece by piece; one whose pieces say less than its whole is taken as a whole."""
    found = form.salvage(text)
    if found.is_whole or found.is_torn:
        return _with_inline_rows(found)
    try:
        plain = form.decode(text)
    except (ValueError, RecursionError):
        return _with_inline_rows(found)
    return _with_inline_rows(Salvaged(dict(plain))) if isinstance(plain, dict) else found


def _with_inline_rows(found: Salvaged) -> Salvaged:
    """Take messages that stand among the other values, as a list."""
    rows = found.head.pop("messages", None)
    if isinstance(rows, list):
        found.rows += [Row(None, row) for row in rows]
    elif rows is not None:
        found.damages.append(Damage(None, f"messages: found {quoted(rows)}, allowed a list of tables."))
    return found


def _foreign(head: dict[str, object]) -> str:
    """Why a file is none of ours to repair; "" = it may be."""
    found, version = head.get("format", FORMAT), head.get("version")
    if found != FORMAT:
        return f"format: found {quoted(found)}, allowed {quoted(FORMAT)}."
    if isinstance(version, int) and version > VERSION:
        return f"version: found {version}, allowed {VERSION}: a newer kimi-tui wrote it, and may repair it."
    return ""


def _migrated(found: Salvaged, damages: list[Damage]) -> Sequence[Row]:
    """The rows of a file of an older version, as they are today; without a version it is today's."""
    version = found.head.get("version")
    for key, value in (("format", FORMAT), ("version", VERSION)):
        if key not in found.head:
            damages.append(Damage(1, f"{key}: is missing."))
        found.head.setdefault(key, value)
    if not isinstance(version, int) or isinstance(version, bool) or version < OLDEST:
        if version is not None:
            damages.append(Damage(None, f"version: found {quoted(version)}, allowed {VERSION}."))
        found.head["version"] = VERSION
        return found.rows
    if version == VERSION:
        return found.rows
    document = migrated({**found.head, "messages": [row.data for row in found.rows if not row.fault]}, version)
    messages = document.pop("messages", [])
    found.head = {**document, "version": VERSION}
    return [Row(None, row) for row in messages] if isinstance(messages, list) else []


def _head(head: dict[str, object], name: str, known_at: datetime, damages: list[Damage]) -> Session:
    """The session without its messages; keys that cannot be are left out."""
    wanted = head.pop("head", None)
    if wanted is not None and not isinstance(wanted, str):
        damages.append(Damage(None, f"head: found {quoted(wanted)}, allowed a string."))
        wanted = None
    while True:
        if not isinstance(head.get("id"), str):
            damages.append(Damage(None, f"id: {quoted(head['id'])} is no id." if "id" in head else "id: is missing."))
            head["id"] = name
        try:
            return replace(decode_session(dict(head), known_at), head=wanted)
        except StorageError as error:
            key = error.summary.partition(":")[0].partition(".")[0].partition("[")[0]
            damages.append(Damage(None, error.summary))
            head.pop(key)


def _messages(rows: Sequence[Row], damages: list[Damage]) -> list[tuple[Message, Row]]:
    """The messages that can be read, each with where it stands."""
    messages = list[tuple[Message, Row]]()
    for number, row in enumerate(rows):
        place = f"messages[{number}]"
        try:
            if row.fault:
                raise StorageError(f"{place}: {row.fault}")
            messages.append((decode_message(row.data, place), row))
        except StorageError as error:
            damages.append(Damage(row.line, error.summary))
    return messages


def _tree(messages: Sequence[tuple[Message, Row]], damages: list[Damage]) -> tuple[Message, ...]:
    """Make a tree of messages of which some may be missing: what hung below one hangs below the message before it."""
    parents = {message.id: message.parent for message, _ in reversed(messages)}
    taken = set(parents)
    free = (id_ for number in count(1) if (id_ := f"m{number}") not in taken)
    whole = dict[str, Message]()
    for message, row in messages:
        before = next(reversed(whole), None)
        mended = message
        if message.id in whole:
            if message == whole[message.id]:
                damages.append(Damage(row.line, f"{quoted(message.id)} stands twice, the same."))
                continue
            mended = replace(message, id=next(free))
            damages.append(
                Damage(row.line, f"{quoted(message.id)} stands twice; in a copy the later one is {mended.id}.")
            )
        why = _misplaced(mended, parents, whole)
        if why:
            damages.append(Damage(row.line, f"{quoted(mended.id)}: its parent {quoted(message.parent)} {why}."))
            mended = replace(mended, parent=before)
            parents[mended.id] = before
        whole[mended.id] = mended
    return tuple(whole.values())


def _misplaced(message: Message, parents: Mapping[str, str | None], placed: Container[str]) -> str:
    """Why a message cannot hang where it says; "" = it can."""
    at = message.parent
    if at is not None and at not in placed and at not in parents:
        return "is not in the file; in a copy it follows the message before it"
    seen = {message.id}
    while at is not None and at not in placed:  # a parent may stand further down
        if at in seen:
            return "is below itself; in a copy it follows the message before it"
        seen.add(at)
        at = parents.get(at)
    return ""
