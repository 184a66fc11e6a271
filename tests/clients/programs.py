"""The real agent programs, installed once into a folder of this checkout.

The rule a reader must not break: nothing is installed outside of that folder, and only from npm
and PyPI. They come to about a gigabyte. opencode and vibe are driven as well where they are there
already: `ORCHESTRA_CLIENTS=opencode=/usr/bin/opencode,vibe=/usr/bin/vibe make test-clients`.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent.parent.parent / "build" / "clients"
_NPM = {"codex": "@openai/codex", "gemini_cli": "@google/gemini-cli"}
_WHERE = {
    # The native program: its launcher for node does not pass on every signal.
    "codex": "node_modules/@openai/codex-*/vendor/*/bin/codex",
    "gemini_cli": "node_modules/.bin/gemini",
    "claude": "claude_agent_sdk/_bundled/claude",
}
_THERE = dict(
    pair.split("=", 1) for pair in os.environ.get("ORCHESTRA_CLIENTS", "").split(",") if pair
)
KINDS = (*_WHERE, *_THERE)


def installed(kind: str) -> Path:
    """The program, installed if it is not there. Raises CalledProcessError if that fails."""
    if kind in _THERE:
        return Path(_THERE[kind])
    folder = FOLDER / kind
    if not list(folder.glob(_WHERE[kind])):
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(_command(kind, folder), check=True, timeout=900, stdin=subprocess.DEVNULL)
    return next(iter(sorted(folder.glob(_WHERE[kind]))))


def version(kind: str) -> str:
    """The number that it gives as its version."""
    command = [str(installed(kind)), "--version"]
    said = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout
    found = re.search(r"\d+(?:\.\d+)+", said)
    return found[0] if found else "unknown"


def _command(kind: str, folder: Path) -> list[str]:
    if kind not in _NPM:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        return [*pip, "--target", str(folder), "claude-agent-sdk"]
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is needed to install codex and gemini")
    return [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), _NPM[kind]]
