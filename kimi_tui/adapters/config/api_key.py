"""The API key: where it comes from, and whether a request can carry it. It is never shown."""

from __future__ import annotations

from collections.abc import Mapping

from kimi_tui.adapters.config.key_command import key_of_command
from kimi_tui.core.errors import KeyMissingError
from kimi_tui.core.settings.settings import ApiSettings
from kimi_tui.core.wire.dialects import DIALECTS


def find_key(environ: Mapping[str, str], api: ApiSettings) -> str:
    """Environment first, then the config's `api_key`, `api_key_command` or `keyring`; else KeyMissingError."""
    dialect = DIALECTS[api.dialect]
    hint = f"Set {dialect.key_variable} to your key; the same command with --demo needs none."
    for name in dialect.key_variables:
        if environ.get(name):
            return check_key(environ[name], name, hint)
    if api.api_key:
        return check_key(api.api_key, "[api] api_key", hint)
    if api.api_key_command:
        return check_key(key_of_command(api.api_key_command, environ, hint), "[api] api_key_command", hint)
    if api.keyring:
        return check_key(_from_keyring(dialect.key_variable, hint), "the keyring", hint)
    raise KeyMissingError("There is no API key.", hint)


def check_key(text: str, source: str, hint: str) -> str:
    """Strip a key and make sure that a header can carry it; `source` is where it was found, for the message.

    The HTTP library repeats a bad header's value in its error, so a bad key never gets that far: KeyMissingError where
    it is empty, or holds blanks, control or non-ASCII characters.
    """
    key = text.strip()
    if not key:
        raise KeyMissingError(f"The API key in {source} is empty.", hint)
    if not all("!" <= char <= "~" for char in key):
        raise KeyMissingError(
            f"The API key in {source} holds a blank, a line break or a character beyond ASCII.", "Copy it once more."
        )
    return key


def _from_keyring(name: str, hint: str) -> str:
    try:
        import keyring  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise KeyMissingError("[api] keyring needs the package keyring.", "pip install 'kimi-tui[keyring]'") from None
    try:
        key = keyring.get_password("kimi-tui", name)
    except keyring.errors.NoKeyringError:
        raise KeyMissingError("This system has no keyring that can be used.", hint) from None
    except keyring.errors.KeyringLocked:
        raise KeyMissingError("The keyring is locked.", "Unlock it, then try again.") from None
    except Exception:  # every backend of the keyring has errors of its own
        raise KeyMissingError("The keyring did not answer.", hint) from None
    if not key:
        raise KeyMissingError("The keyring holds no key.", f"keyring set kimi-tui {name}")
    return str(key)
