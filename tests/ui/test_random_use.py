"""Random keys, clicks, pastes, sizes and signals: the real program stays, keeps what was said and leaves when asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.random_use import use


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_whatever_is_done_nothing_ends_and_nothing_is_lost(tmp_path: Path, seed: int) -> None:
    use(seed, tmp_path, lambda number: number >= 250)
