"""`make docs-tables`: every adapter in every case, run and written into docs/adapters.md.

The rule a reader must not break: class and decision in a cell come from running the adapter and
the chain, never from a list. Only the seconds come from a file, which `make test-clients` writes.

A new adapter is a new entry of `FAMILIES`: its name, and a function that asks it.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.tables import acp_cells, client_cells, http_cells, local_cells
from tests.tables.cases import BY_KEY, CASES, Case, Outcome
from tests.tables.chain_moves import Moves, moves_after
from tests.tables.seconds import recorded

DOCS = Path(__file__).resolve().parents[2] / "docs" / "adapters.md"
BEGIN = "<!-- Written by `make docs-tables`: change the adapters or tests/tables, not this. -->"
END = "<!-- The end of what `make docs-tables` writes. -->"
AT_ONCE = 4
"""Cases that are tried at the same time: most wait for a process to start."""
NEAR = 0.25
"""The share by which a wait may miss what was asked for: clients add some."""
LOST = " †"

Ask = Callable[[str, Path], Awaitable[Outcome | None]]
"""Asks one adapter in the case of this key, with a folder of its own; None: there is no such case,
or nobody recorded it."""


@dataclass(frozen=True)
class Family:
    """One table: its title and its adapters by name. `missing` stands where there is no outcome;
    `relays` says that the adapter hears of a cause through a program, which may lose it."""

    title: str
    adapters: Mapping[str, Ask]
    missing: str = "-"
    relays: bool = True


def _http(kind: str) -> Ask:
    return lambda case, _folder: http_cells.ask(kind, case)


def _client(kind: str) -> Ask:
    return lambda case, folder: client_cells.ask(kind, case, folder)


def _agent(agent: str) -> Ask:
    return lambda case, folder: acp_cells.ask(agent, case, folder)


FAMILIES = (
    Family("Model services over HTTP", {kind: _http(kind) for kind in http_cells.KINDS}),
    Family("Agent programs", {kind: _client(kind) for kind in client_cells.KINDS}),
    Family("Agents over ACP", {f"acp {name}": _agent(name) for name in acp_cells.AGENTS}),
    Family("A model of this machine", {local_cells.KIND: local_cells.ask}, "·", relays=False),
)


def table(family: Family) -> str:
    """The table of this family, from running all of its adapters in all cases."""
    outcomes = asyncio.run(_outcomes(family))
    names = list(family.adapters)
    lines = [f"| {family.title} | {' | '.join(f'`{name}`' for name in names)} |"]
    lines.append("|---" * (len(names) + 1) + "|")
    times = recorded()
    for case in CASES:
        told = [(name, outcomes[name, case.key]) for name in names]
        cells = [
            _cell(case, outcome, times.seconds(name, case.key), relays=family.relays)
            if outcome
            else family.missing
            for name, outcome in told
        ]
        lines.append(f"| {case.title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def section() -> str:
    """Everything between the markers."""
    tables = [f"{table(family)}\n" for family in FAMILIES]
    return "\n".join([BEGIN, "", *tables, recorded().sentence(), "", END])


def split() -> tuple[str, str, str]:
    """The page before, within and after the markers. Raises ValueError without them."""
    text = DOCS.read_text(encoding="utf-8")
    start, end = text.index(BEGIN), text.index(END) + len(END)
    return text[:start], text[start:end], text[end:]


async def _outcomes(family: Family) -> dict[tuple[str, str], Outcome | None]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(ask: Ask, case: str) -> Outcome | None:
        async with gate:
            with tempfile.TemporaryDirectory(prefix="orchestra-table-") as folder:
                return await ask(case, Path(folder))

    keys = [(name, case) for name in family.adapters for case in BY_KEY]
    found = await asyncio.gather(*(one(family.adapters[name], case) for name, case in keys))
    return dict(zip(keys, found, strict=True))


def _cell(case: Case, outcome: Outcome, seconds: str, *, relays: bool) -> str:
    moves = moves_after(outcome)
    lost = LOST if relays and not _is_told(case, outcome, moves) else ""
    return f"{outcome.kind}: {moves}{lost} · {seconds}"


def _is_told(case: Case, outcome: Outcome, moves: Moves) -> bool:
    """True if the cause and the wait arrived as the provider sent them."""
    wait, rest = case.wait or 0.0, moves.rest or 0.0
    is_right_wait = not wait or abs(rest - wait) <= wait * NEAR
    return outcome.kind == (case.kind or outcome.kind) and is_right_wait


def main() -> None:
    """Write the tables."""
    before, _, after = split()
    DOCS.write_text(before + section() + after, encoding="utf-8")


if __name__ == "__main__":
    main()
