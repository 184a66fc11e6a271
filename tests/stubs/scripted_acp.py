"""A stand-in for an agent that speaks ACP: it plays what a real one said, and misbehaves.

Run by a small executable that `install` writes. A script says for each request of the client what
the agent does: JSON-RPC messages as they are, and steps of our own under the key `do`. A request
of the agent waits for its answer. What the client said stands in `heard.jsonl`.
"""

import json
import os
import signal
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.stubs.scripted_client import LONG, leave_behind, write_down, write_files

RECORDINGS = Path(__file__).parent.parent / "fixtures" / "recordings" / "acp"
CASES = RECORDINGS.with_name("acp_cases")
FOLDER = "/home/user/project"
"""Where the recorded agents worked; it is played as the folder of the session."""

Message = dict[str, Any]
Script = Mapping[str, list[Message]]


@dataclass(frozen=True)
class AcpPlay:
    """What an agent does at each request. `stays`: it does not end with its standard input."""

    script: Script = field(default_factory=dict)
    is_deaf: bool = False
    stays: bool = False
    grandchild: bool = False


def recorded(agent: str, case: str, *, writes: Mapping[str, str] | None = None) -> AcpPlay:
    """What a real agent said; `writes` are files that it wrote itself once it was allowed to."""
    script = json.loads((RECORDINGS / f"{agent}-{case}.json").read_text(encoding="utf-8"))["script"]
    if writes:
        script["session/prompt"][-1:-1] = [{"do": "write", "files": writes}]
    return AcpPlay(script=script)


def recorded_case(agent: str, case: str) -> AcpPlay | None:
    """What a real agent said to our adapter in this case of `tests.tables.cases`, or None."""
    data = json.loads((CASES / f"{agent}.json").read_text(encoding="utf-8"))
    said = data["cases"].get(case)
    return None if said is None else AcpPlay(script={**data["opening"], **said})


def opened(**more: object) -> Script:
    """Greeting and session of an agent without modes; `more` goes into the session."""
    return {
        "initialize": [{"result": {"protocolVersion": 1, "agentCapabilities": {}}}],
        "session/new": [{"result": {"sessionId": "s1", **more}}],
    }


def turn(*messages: Message, **session: object) -> Script:
    """A whole script: an ordinary session, and these messages for the prompt."""
    return {**opened(**session), "session/prompt": list(messages)}


def playing(*messages: Message) -> AcpPlay:
    """An agent that does this at the prompt."""
    return AcpPlay(script=turn(*messages))


def update(kind: str, /, **fields: object) -> Message:
    """A session update."""
    told = {"sessionId": "s1", "update": {"sessionUpdate": kind, **fields}}
    return {"method": "session/update", "params": told}


def says(text: str) -> Message:
    """A piece of the agent's answer."""
    return update("agent_message_chunk", content={"type": "text", "text": text})


def wants(title: str, kind: str, path: str = "", **call: object) -> Message:
    """A permission request with the usual options."""
    tool = {"toolCallId": title, "title": title, "kind": kind, **call}
    if path:
        tool["locations"] = [{"path": path}]
    options = [
        {"optionId": "yes-always", "name": "Always", "kind": "allow_always"},
        {"optionId": "yes", "name": "Yes", "kind": "allow_once"},
        {"optionId": "no", "name": "No", "kind": "reject_once"},
    ]
    told = {"sessionId": "s1", "toolCall": tool, "options": options}
    return {"id": 7, "method": "session/request_permission", "params": told}


def asks(method: str, **params: object) -> Message:
    """Another request of the agent."""
    return {"id": 8, "method": method, "params": {"sessionId": "s1", **params}}


def ends(reason: str = "end_turn", **more: object) -> Message:
    """The result of the prompt."""
    return {"result": {"stopReason": reason, **more}}


def fails(code: int, message: str, data: object = None) -> Message:
    """The error of a request."""
    return {"error": {"code": code, "message": message, "data": data}}


def does(what: str, **more: object) -> Message:
    """A step that is no message: `write` (files), `link` (path, to), `print` or `stderr` (line),
    `end` (code), `hang`, or `listen` to what is said next."""
    return {"do": what, **more}


def install(folder: Path, play: AcpPlay) -> Path:
    """An executable in `folder` that plays; `report.json` and `heard.jsonl` stand beside it."""
    program = folder / "agent"
    plan = folder / "play.json"
    plan.write_text(json.dumps(asdict(play)), encoding="utf-8")
    root = Path(__file__).parent.parent.parent
    run = f"exec '{sys.executable}' -S -m {__name__} '{plan}'"
    program.write_text(f"#!/bin/sh\nPYTHONPATH='{root}' {run} \"$@\"\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def heard(folder: Path) -> list[Message]:
    """What the client said to the agent in `folder`."""
    lines = (folder / "heard.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def main(plan: Path, arguments: list[str]) -> int:
    """Play; the exit code."""
    play = AcpPlay(**json.loads(plan.read_text(encoding="utf-8")))
    if "--version" in arguments:
        print("1.2.3 (a stand-in)")
        return 0
    if play.is_deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    pids = [os.getpid(), *([leave_behind()] if play.grandchild else [])]
    write_down(plan.parent, arguments, "", pids)
    incoming = _incoming(plan.parent / "heard.jsonl")
    for message in incoming:
        if "id" in message and "method" in message:
            _perform(play.script.get(message["method"], [{"result": {}}]), message, incoming)
    while play.stays:
        time.sleep(LONG)
    return 0


def _incoming(log: Path) -> Iterator[Message]:
    with log.open("a", encoding="utf-8") as written:
        for line in sys.stdin:
            written.write(line)
            written.flush()
            yield json.loads(line)


def _perform(messages: list[Message], request: Message, incoming: Iterator[Message]) -> None:
    for message in messages:
        if message.get("do") == "listen":
            next(incoming, None)
        elif "do" in message:
            _do(message)
        elif "method" in message:
            _send(message)
            while "id" in message and "method" in next(incoming, {}):
                """Something else came before the answer."""
        else:
            _send({"id": request["id"], **message})


def _send(message: Message) -> None:
    line = json.dumps({"jsonrpc": "2.0", **message}).replace(FOLDER, str(Path.cwd()))
    print(line, flush=True)


def _do(step: Message) -> None:
    match step["do"]:
        case "write":
            write_files(step["files"])
        case "link":
            os.symlink(step["to"], step["path"])
        case "print":
            print(step["line"], flush=True)
        case "stderr":
            print(step["line"], file=sys.stderr, flush=True)
        case "end":
            sys.exit(step["code"])
        case "hang":
            while True:
                time.sleep(LONG)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
