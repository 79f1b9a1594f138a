"""Where the last whole sentence or line of a text ends."""

from __future__ import annotations

import re

_END = re.compile(r"""[.!?…]+["'”’)\]»*_`]*(?=\s|$)|[。！？]+[」』”’）]*|(?<=\S)(?=[ \t]*[\r\n])""")
"""Behind a mark that ends a sentence, with what closes behind it, or behind the last character of a line."""


def whole_end(text: str) -> int:
    """The offset behind it, in code points: the text's own end where that is whole, or no sentence before is."""
    end = max((match.end() for match in _END.finditer(text)), default=0)
    return end if end and text[end:].strip() else len(text)
