"""A model of this machine: the adapter with a stand-in for the child that loads the file."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from tests.engine.local_sandbox import LocalBench, asked
from tests.tables.cases import Outcome, outcome_of

KIND = "local"
SHORT, LONG = 0.3, 20.0
_CALL = {"index": 0, "id": "c1", "function": {"name": "write_file", "arguments": "{}"}}
_TOOL = {"choices": [{"index": 0, "delta": {"tool_calls": [_CALL]}, "finish_reason": "tool_calls"}]}
_PLAYS: Mapping[str, Mapping[str, object]] = {
    "plain": {},
    "edit-refused": {"say": "", "raw": f"data: {json.dumps(_TOOL)}\n\ndata: [DONE]\n\n"},
    "500": {"status": 500},
    "down": {"die": "start", "signal": "SIGKILL"},
    "cut": {"die": "answer", "signal": "SIGSEGV"},
    "malformed": {"raw": 'data: {"half": "of an eve\n\n'},
    "empty": {"say": ""},
    "length": {"finish": "length"},
    "hang": {"hang": True},
    "hang-stream": {"stall": True},
    "cancel": {"stall": True},
}


async def ask(case: str, folder: Path) -> Outcome | None:
    """What the adapter makes of this case; None for what a file of one's own cannot do."""
    if case not in _PLAYS:
        return None
    bench = LocalBench(folder)
    bench.file(**_PLAYS[case])
    request = asked(
        first_byte=SHORT if case == "hang" else LONG,
        idle=SHORT if case == "hang-stream" else LONG,
    )
    begun = asyncio.Event()
    try:
        call = asyncio.create_task(bench.adapter().execute(request, lambda _: begun.set()))
        if case == "cancel":
            await begun.wait()
            call.cancel()
        return await outcome_of(call)
    finally:
        await bench.models.close()
