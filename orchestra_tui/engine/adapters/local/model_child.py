"""The child that loads one model and serves it on 127.0.0.1, until its parent is gone.

The rule a reader must not break: this file is run on its own (`python -I model_child.py`) and
imports the standard library and `xllamacpp` only. What to load comes as one JSON line on stdin, so
that neither the key nor the path stands in an argument; the answer is one JSON line on stdout.

    {"path": "...", "name": "...", "context": 8192, "threads": 2, "key": "..."}
    -> {"url": "http://127.0.0.1:PORT"}   or   {"error": "missing" | "load", "detail": "..."}
"""

import importlib
import json
import os
import sys
import time
from typing import Any

LOOK_EVERY = 2.0
"""Seconds between two looks whether the parent is still there."""


def main() -> int:
    """Serve; returns if the model cannot be loaded or when nobody is left to serve."""
    parent = os.getppid()
    asked: dict[str, Any] = json.loads(sys.stdin.readline())
    # Whatever a library prints must not be read as our answer.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 1)
        server, said = _load(asked)
        print(json.dumps(said), file=answers, flush=True)
    while server is not None and os.getppid() == parent:
        time.sleep(LOOK_EVERY)
    return 0 if server is not None else 1


def _load(asked: dict[str, Any]) -> tuple[object, dict[str, str]]:
    """The server, which runs as long as it is referred to, and what to say."""
    try:
        xlc: Any = importlib.import_module("xllamacpp")
    except ImportError as error:
        return None, {"error": "missing", "detail": str(error)}
    params = xlc.CommonParams()
    params.model.path = asked["path"]
    params.model_alias = {asked["name"]}
    params.n_ctx = asked["context"]
    # All cores at once wait for each other and for everybody else: half is much faster (measured).
    params.cpuparams.n_threads = asked["threads"]
    params.n_parallel = 1
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [asked["key"]]
    params.ui = False
    params.endpoint_slots = False
    params.offline = True
    params.verbosity = 0
    try:
        server = xlc.Server(params)
    except RuntimeError as error:
        return None, {"error": "load", "detail": str(error)}
    return server, {"url": str(server.listening_address)}


if __name__ == "__main__":
    sys.exit(main())
