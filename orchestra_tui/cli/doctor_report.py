"""`orchestra doctor`: what can work here, which chains it would make, and writing them when asked.

The rule a reader must not break: nothing is written without `--write` and a yes, and nothing that
could cost something is ever sent from here.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestra_tui.cli.arguments import Arguments
from orchestra_tui.cli.config_file import ConfigFile
from orchestra_tui.cli.top import DONE, PARTIAL
from orchestra_tui.config import key_file_path, load_settings
from orchestra_tui.domain.doctor import Configuration, DoctorLine, Offer
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.proposal import Proposal, propose
from orchestra_tui.domain.settings import Settings
from orchestra_tui.domain.text import clean_line
from orchestra_tui.engine.adapters.detection import KEYS, probe
from orchestra_tui.engine.keys.key_store import open_keys
from orchestra_tui.engine.workspace.listing import ProjectFiles
from orchestra_tui.engine.workspace.private_view import PrivateViews
from orchestra_tui.engine.workspace.tree import open_tree

_SIGNS = {"found": "+", "missing": "-", "foreign": "-", "broken": "!", "silent": "!"}


def run_doctor(arguments: Arguments) -> int:
    """Say what can work on this machine; 0 if something real can, 1 if only the rehearsal."""
    file = ConfigFile(os.environ)
    configured = file.read()
    lines = asyncio.run(_probe(load_settings()))
    proposal = propose(lines, configured)
    is_written = False
    if not arguments.json:
        _print_text(lines, configured, proposal)
    if arguments.write and proposal.is_new and _is_agreed(arguments):
        file.save(proposal.offers, proposal.chains)
        is_written = True
        if not arguments.json:
            print(f"written to {clean_line(configured.place)}")
    if arguments.json:
        print(json.dumps(_report(lines, configured, proposal, is_written=is_written)))
    is_ready = any(line.is_usable for line in lines)
    return DONE if is_ready or proposal.offers else PARTIAL


async def _probe(settings: Settings) -> tuple[DoctorLine, ...]:
    store = open_keys(os.environ, key_file_path())
    finding = asyncio.create_task(store.find((*settings.key_names, *KEYS)))

    async def keys() -> Mapping[str, str]:
        return (await asyncio.shield(finding)).values

    tree = await asyncio.to_thread(open_tree, Path.cwd())
    views = PrivateViews(tree, ProjectFiles(tree), os.environ)
    lines = await probe(settings, os.environ, keys=keys, tree=views)
    return (*lines, *(_problem(text) for text in (await finding).problems))


def _problem(text: str) -> DoctorLine:
    return DoctorLine(name="keys", state="broken", detail=clean_line(text))


def _report(
    lines: Sequence[DoctorLine],
    configured: Configuration,
    proposal: Proposal,
    *,
    is_written: bool,
) -> dict[str, object]:
    return {
        "config": configured.place,
        "is_configured": any(line.is_usable for line in lines),
        "lines": [line.model_dump(mode="json") for line in lines],
        "proposal": {
            "adapters": {offer.name: offer.fields for offer in proposal.offers},
            "chains": {role.value: list(chain) for role, chain in proposal.chains.items()},
            "is_new": proposal.is_new,
        },
        "is_written": is_written,
    }


def _is_agreed(arguments: Arguments) -> bool:
    """`--yes`, or a yes on the terminal. Raises UsageError if nobody can be asked."""
    if arguments.yes:
        return True
    if arguments.json or not sys.stdin.isatty():
        raise UsageError("there is nobody to ask: add --yes to write the proposal as it is")
    answer = input("Write this? [y/N] ")
    return answer.strip().casefold() in {"y", "yes"}


def _print_text(lines: Sequence[DoctorLine], configured: Configuration, proposal: Proposal) -> None:
    is_there = Path(configured.place).exists()
    print(clean_line(f"configuration: {configured.place}{'' if is_there else ' (not there)'}"))
    missing = [line.name for line in lines if line.is_minor and line.state == "missing"]
    for line in lines:
        if line.name not in missing:
            print(_line_text(line))
    if missing:
        print(clean_line(f"- not here: {', '.join(missing)}"))
    print(*_ending(lines, configured, proposal), sep="\n")


def _line_text(line: DoctorLine) -> str:
    sign = "*" if line.is_usable else _SIGNS.get(line.state, "-")
    return clean_line(f"{sign} {line.name:<24} {line.state:<8} {line.detail}")


def _ending(
    lines: Sequence[DoctorLine], configured: Configuration, proposal: Proposal
) -> list[str]:
    if not proposal.chains:
        return [
            "only the rehearsal works here: scripted agents, no AI, no network",
            "connect something: install an agent program, set the variable of a key, or start a "
            "local server",
        ]
    title = "proposed chains:" if proposal.is_new else "chains:"
    chains = [f"  {role.value:<11}{' > '.join(c)}" for role, c in proposal.chains.items()]
    hint = "`orchestra doctor --write` writes this; until then nothing of it is used"
    last = [*map(_entry, proposal.offers), hint] if proposal.is_new else []
    return [clean_line(line) for line in (title, *chains, *last)]


def _entry(offer: Offer) -> str:
    fields = ", ".join(f'{field} = "{value}"' for field, value in offer.fields.items())
    return f"  [adapters.{offer.name}] {fields}"
