"""The dialects that can be chosen."""

from __future__ import annotations

from kimi_tui.core.wire.deepinfra import DEEPINFRA
from kimi_tui.core.wire.dialect import Dialect

DEFAULT_DIALECT = DEEPINFRA
DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (DEEPINFRA,)}
"""Every dialect by the name that `[api] dialect` gives."""
