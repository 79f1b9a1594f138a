"""Run them: `python -m tests.benchmarks`, or with the names of some."""

from __future__ import annotations

import asyncio
import sys

from tests.benchmarks import branches, commands, comparing, files, screens, sending, sizes

ALL = {
    "growing": screens.growing,
    "length": screens.long_replies,
    "markdown": screens.markdown_kinds,
    "giants": screens.giants,
    "moving": screens.moving,
    "search": screens.search,
    "files": files.load_and_save,
    "saving": files.pauses_while_saving,
    "sending": sending.pauses_while_sending,
    "pastes": sizes.pastes,
    "lists": sizes.lists,
    "branches": branches.branches,
    "comparing": comparing.comparing,
    "commands": commands.start_to_exit,
}


async def main(names: list[str]) -> None:
    """Run benchmarks and print a line for each comparison."""
    unknown = [name for name in names if name not in ALL]
    if unknown:
        sys.exit(f"There is no benchmark {', '.join(unknown)}. There are: {', '.join(ALL)}.")
    print(f"{'ratio':>7}  {'ms':>9}  {'against':>9}")
    for name in names or ALL:
        async for what, value, base in ALL[name]():
            print(f"{value / base:6.2f}x  {value * 1000:9.3f}  {base * 1000:9.3f}  {what}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
