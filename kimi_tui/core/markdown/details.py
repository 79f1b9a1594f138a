"""Parts that HTML folds: `<details>` with its `<summary>`, which the parser leaves as they stand."""

from __future__ import annotations

import re
from typing import NamedTuple

# Without `compile`: for few replies.
_OPENING = (
    r"(?is)\s*<details[^>]*>\s*"
    r"(?:<summary[^>]*>(?P<title>.*?)(?:</summary>|</?\w*\Z|\Z))?\s*(?P<rest>.*)"
)
_END = r"(?i)\s*</details>\s*"


class Details(NamedTuple):
    """How such a part begins."""

    title: str
    """Of one line, as it is written; "" = it has none."""
    rest: str
    """What stands behind it, HTML too."""


def details_of(html: str) -> Details | None:
    """What a block of HTML begins; None = it begins no such part."""
    found = re.fullmatch(_OPENING, html)
    return None if found is None else Details(" ".join((found["title"] or "").split()), found["rest"].rstrip("\n"))


def ends_details(html: str) -> bool:
    return re.fullmatch(_END, html) is not None
