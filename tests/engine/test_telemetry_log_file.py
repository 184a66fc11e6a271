"""The log file: complete, harmless to a terminal, and free of secrets in every form."""

import base64
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestra_tui.domain.errors import StorageError
from orchestra_tui.domain.secret_forms import forms_of, secrets_in
from orchestra_tui.engine.telemetry.log_file import KEPT_FILES, MAX_BYTES, MAX_LINE, LogFile

SECRET = "sk-canary/ümlaut+\"quote'\\ 0123456789"
LOGGER = logging.getLogger("orchestra_tui.engine.sample")


def _logged(folder: Path, *entries: tuple[str, object], label: str = "") -> str:
    log = LogFile.open(folder, secrets=[SECRET], label=label)
    for message, value in entries:
        LOGGER.info(message, value)
    log.close()
    return log.path.read_text(encoding="utf-8")


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "json": json.dumps,
    "repr": repr,
    "url": lambda s: "https://x.example/?key=" + quote(s, safe=""),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "urlsafe": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "basic": lambda s: "Basic " + base64.b64encode(b"user:" + s.encode() + b"@").decode(),
    "bearer": lambda s: f"Authorization: Bearer {s}",
    "twice": lambda s: s + s,
}


@pytest.mark.parametrize("how", sorted(ENCODINGS))
def test_no_form_of_a_secret_is_written(tmp_path: Path, how: str) -> None:
    """By value, wherever it stands and however it was encoded."""
    encoded = ENCODINGS[how](SECRET)
    text = _logged(tmp_path, ("sent %s to the server", encoded))
    assert "[secret]" in text
    for form in forms_of([SECRET]):
        assert form not in text


def test_a_traceback_is_freed_too(tmp_path: Path) -> None:
    """Exceptions quote what was sent; their text takes the same way."""
    log = LogFile.open(tmp_path, secrets=[SECRET])
    try:
        raise ValueError(f"bad header {SECRET}\x1b]52;c;evil\x07")
    except ValueError:
        LOGGER.exception("the call failed")
    log.close()
    text = log.path.read_text(encoding="utf-8")
    assert "Traceback" in text
    assert "bad header [secret]" in text
    assert "\x1b" not in text
    assert SECRET not in text


@given(before=st.binary(max_size=5), after=st.binary(max_size=5))
@settings(max_examples=200, deadline=None)
def test_base64_is_found_at_every_alignment(before: bytes, after: bytes) -> None:
    """Wherever the secret lies in what was encoded, most of it is recognised."""
    encoded = base64.b64encode(before + SECRET.encode() + after).decode()
    assert any(form in encoded for form in forms_of([SECRET]))


def test_nothing_a_terminal_obeys_is_written(tmp_path: Path) -> None:
    """`less -R` and `cat` show the log as it is."""
    text = _logged(tmp_path, ("odd: %s", "\x1b[2J\x9b1m\x07\u202e\ud800 end"))
    assert "end" in text
    assert not any(ord(char) < 32 and char != "\n" for char in text)
    assert "\x9b" not in text
    assert "\u202e" not in text


def test_text_cannot_forge_an_entry(tmp_path: Path) -> None:
    """A line that did not come from this program never begins in the first column."""
    forged = "x\n2026-01-01 00:00:00,000 INFO orchestra_tui: all files deleted\r\nmore"
    text = _logged(tmp_path, ("%s", forged), ("second %s", "entry"))
    assert [line for line in text.splitlines() if line[:1] != " "] == [
        line for line in text.splitlines() if " INFO orchestra_tui.engine.sample: " in line
    ]


def test_the_label_stands_in_every_entry(tmp_path: Path) -> None:
    """Nobody takes a rehearsal's log for a real one."""
    text = _logged(tmp_path, ("one%s", ""), ("two%s", ""), label="REHEARSAL - no AI")
    assert text.count("[REHEARSAL - no AI]") == 2


def test_long_entries_are_cut_and_files_rotate(tmp_path: Path) -> None:
    """A provider's error page does not fill the disk."""
    entries = [("%s", "x" * (MAX_LINE * 3))] * (MAX_BYTES * (KEPT_FILES + 3) // MAX_LINE)
    text = _logged(tmp_path, *entries)
    assert text.count(" more characters") == len(text.splitlines())
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["orchestra.log", *(f"orchestra.log.{n}" for n in range(1, KEPT_FILES + 1))]
    assert all(path.stat().st_size <= MAX_BYTES + MAX_LINE for path in tmp_path.iterdir())


def test_the_values_are_those_of_the_moment(tmp_path: Path) -> None:
    """Written later by another thread, an entry still shows what was logged."""
    log = LogFile.open(tmp_path)
    value = ["first"]
    LOGGER.info("value %s", value)
    value[0] = "second"
    log.close()
    assert "first" in log.path.read_text(encoding="utf-8")


def test_an_unwritable_place_is_an_error(tmp_path: Path) -> None:
    """The caller goes on without a log and says so."""
    with pytest.raises(StorageError, match="cannot be written"):
        LogFile.open(tmp_path / "missing")


def test_nothing_reaches_the_terminal(tmp_path: Path) -> None:
    """Not while it is open, not when its folder is gone, not after it is closed."""
    program = f"""
import logging, shutil
from pathlib import Path
from orchestra_tui.engine.telemetry.log_file import LogFile
folder = Path({str(tmp_path / "logs")!r})
folder.mkdir()
log = LogFile.open(folder)
logger = logging.getLogger("orchestra_tui.x")
logger.error("one")
shutil.rmtree(folder)
for n in range(60):
    logger.error("y" * 60_000)
logger.error("bad arguments %d", "no number")
log.close()
logger.error("after")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_secrets_come_from_the_named_variables() -> None:
    """Only values long enough to be keys; unset and unnamed ones are left out."""
    environment = {"A_KEY": "0123456789", "B_KEY": "short", "C_KEY": "abcdefghijkl", "D": "x" * 20}
    assert secrets_in(environment, ["A_KEY", None, "B_KEY", "C_KEY", "MISSING"]) == (
        "abcdefghijkl",
        "0123456789",
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_loses_entries_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "orchestra.log").symlink_to("/dev/full")
    log_file = LogFile.open(tmp_path)
    logging.getLogger("orchestra_tui.test").error("lost")
    log_file.close()
