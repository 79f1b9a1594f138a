"""Headers of a reply are bounded like all that comes from outside."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.cli.calls import KEY, call
from tests.cli.loopback import Play, endpoint, tokens


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-A": "a" * 2_000_000}, 1),
        ({f"X-{number}": "a" * 100 for number in range(5000)}, 1),
        ({"x-request-id": "r" * 60_000}, 0),
    ],
)
def test_large_headers_are_refused_and_a_long_id_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], status: int
) -> None:
    monkeypatch.setenv("DEEPINFRA_TOKEN", KEY)
    with endpoint(Play(tokens("</think>", "ok"), headers=headers)) as server:
        result = call("ask", "x", "--save", "--base-url", server.url, "--data-dir", str(tmp_path))
    assert result.status == status
    assert len(result.err) < 1000
    (path,) = (tmp_path / "sessions").glob("*.toml")
    assert path.stat().st_size < 2000
    question = tomllib.loads(path.read_text("utf-8"))["messages"][0]
    assert question["content"] == "x"
