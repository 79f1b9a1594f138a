"""A request as a Python script of its own: the standard library alone, the key from the environment."""

from __future__ import annotations

from collections.abc import Iterator

from kimi_tui.core.wire.dialect import Dialect

LINE_CHARS = 100
"""Most characters of the body on one line, as they stand in it: quoting makes them more."""

_HEAD = '''\
"""Send one request and print what comes. The key is read from ${key}."""
import json
import os
import sys
import urllib.error
import urllib.request

URL = {url}
BODY = (
{body}
).encode()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None  # the key is for this address alone


def show(text):
    if sys.stdout.isatty():  # what a model writes must not steer the terminal
        text = "".join(c if c in "\\n\\t" or ord(c) > 159 or 32 <= ord(c) < 127 else "\\ufffd" for c in text)
    print(text, end="", flush=True)


key = os.environ.get("{key}", "").strip()
if not key:
    sys.exit("Set {key} to your key.")
sys.stdout.reconfigure(encoding="utf-8", errors="replace")
headers = {{"Authorization": f"Bearer {{key}}", "Content-Type": "application/json"}}
request = urllib.request.Request(URL, BODY, headers)
try:
    reply = urllib.request.build_opener(NoRedirect).open(request)
except urllib.error.HTTPError as error:
    sys.exit(f"{{error.code}} {{error.reason}}: {{error.read().decode(errors='replace')}}")
except urllib.error.URLError as error:
    sys.exit(f"The request failed: {{error.reason}}")
'''
_STREAMED = """\
for line in reply:
    data = line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""
    if not data or data == {end}:
        continue
    event, texts = json.loads(data), []
    for place in {places}:
        found = event
        for name in place:
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, str):
            texts.append(found)
    show("".join(texts))
    if not texts and isinstance(event, dict) and any(map(event.get, {errors})):
        sys.exit(f"\\n{{event}}")
print()
"""
_WHOLE = """\
show(json.dumps(json.load(reply), ensure_ascii=False, indent=2) + "\\n")
"""


def python_script(dialect: Dialect, url: str, body: bytes, *, is_streamed: bool) -> str:
    """Send a body as `body.build_body` writes it, byte for byte the same; what is streamed is printed as it comes."""
    quoted = "\n".join(f"    {literal}" for literal in _literals(body.decode("utf-8")))
    head = _HEAD.format(key=dialect.key_variable, url=repr(url), body=quoted)
    if not is_streamed:
        return head + _WHOLE
    keys = dialect.error_keys
    errors = tuple(filter(None, (keys.kind, *keys.words)))
    return head + _STREAMED.format(end=dialect.end_word.encode(), places=dialect.text_places, errors=errors)


def _literals(text: str) -> Iterator[str]:
    """Quote a text as Python does: what cannot be seen is escaped, so that nothing in it is more than text."""
    return (repr(text[start : start + LINE_CHARS]) for start in range(0, len(text), LINE_CHARS))
