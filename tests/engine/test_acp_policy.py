"""The policy for permission requests as a table, and how a change is shown."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestra_tui.domain.settings import Permission
from orchestra_tui.engine.adapters.acp.changes import MAX_SHOWN, change_lines
from orchestra_tui.engine.adapters.acp.policy import Policy, Wish, decide, inside, wish_of

ROOT = PurePosixPath("/tmp/copy/project")
IN, OUT = f"{ROOT}/a.py", "/etc/passwd"
WRITER = Policy(ROOT, may_write=True)
READER = Policy(ROOT, may_write=False)
FREE = Policy(ROOT, may_write=True, allow=frozenset(Permission))
ONCE, NO = "allow_once", "reject_once"
YES_NO = [
    {"optionId": "always", "kind": "allow_always"},
    {"optionId": "once", "kind": "allow_once"},
    {"optionId": "reject", "kind": "reject_once"},
]

CASES: list[tuple[Wish, Policy, str]] = [
    (Wish("w", "edit", (IN,)), WRITER, ""),
    (Wish("w", "edit", ("a.py",)), WRITER, ""),
    (Wish("w", "edit", (IN,)), READER, "this role only reads"),
    (Wish("w", "delete", (IN,)), READER, "this role only reads"),
    (Wish("w", "edit"), WRITER, "it does not say which file"),
    (Wish("w", "edit", (OUT,)), WRITER, f"{OUT} is outside of its copy"),
    (Wish("w", "edit", (IN, OUT)), WRITER, f"{OUT} is outside of its copy"),
    (Wish("w", "edit", (OUT,)), FREE, ""),
    (Wish("w", "move", (IN, f"{ROOT}/b.py")), WRITER, ""),
    (Wish("w", "read", (IN,)), READER, ""),
    (Wish("w", "search"), READER, ""),
    (Wish("w", "read", (OUT,)), READER, f"{OUT} is outside of its copy"),
    (Wish("w", "execute"), WRITER, "it may start no program"),
    (Wish("w", "edit", (IN,), is_command=True), WRITER, "it may start no program"),
    (Wish("w", "execute"), FREE, ""),
    # opencode names its folder.
    (Wish("w", "execute", (str(ROOT),)), FREE, ""),
    (Wish("w", "execute", (str(ROOT),)), WRITER, "it may start no program"),
    (Wish("w", "fetch"), WRITER, "it may not use the network"),
    (Wish("w", "fetch"), FREE, ""),
    (Wish("w", "switch_mode"), FREE, "it does not say what it would do"),
    (Wish("w", "other"), FREE, "it does not say what it would do"),
    (Wish("w", ""), WRITER, "it does not say what it would do"),
]


@pytest.mark.parametrize(("wish", "policy", "why"), CASES)
def test_a_wish_is_allowed_or_refused(wish: Wish, policy: Policy, why: str) -> None:
    decision = decide(wish, YES_NO, policy)
    assert decision.why == why
    assert decision.is_allowed is (not why)
    assert decision.option == ("reject" if why else "once")


@pytest.mark.parametrize(
    ("options", "allow", "reject"),
    [
        # As the real agents offer them.
        ([("allow_once", ONCE), ("reject_once", NO)], "allow_once", "reject_once"),
        ([("proceed_once", ONCE), ("cancel", NO)], "proceed_once", "cancel"),
        ([("allow", ONCE), ("reject", NO)], "allow", "reject"),
        ([("approved", ONCE), ("abort", NO)], "approved", "abort"),
        # Without kinds, by known ids; codex ends its turn after "cancel", so that comes last.
        ([("once", ""), ("cancel", ""), ("decline", "")], "once", "decline"),
        ([("cancel", NO), ("decline", NO), ("yes", ONCE)], "yes", "decline"),
        # Never for ever.
        ([("always", "allow_always"), ("never", "reject_always")], None, None),
        ([], None, None),
    ],
)
def test_the_option_is_found(
    options: list[tuple[str, str]], allow: str | None, reject: str | None
) -> None:
    offered = [{"optionId": name, "kind": kind} for name, kind in options]
    granted = decide(Wish("w", "edit", (IN,)), offered, WRITER)
    # What cannot be allowed once is refused.
    assert (granted.option, granted.is_allowed) == ((allow, True) if allow else (reject, False))
    assert decide(Wish("w", "edit", (IN,)), offered, READER).option == reject


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.py", "a.py"),
        ("./src/../a.py", "a.py"),
        (f"{ROOT}/src//b.py", "src/b.py"),
        (str(ROOT), ""),
        (".", ""),
        (f"{ROOT}-twin/a.py", None),
        ("../a.py", None),
        (f"{ROOT}/../../x", None),
        ("~/.ssh/id", None),
        ("/", None),
        ("a\0b", None),
    ],
)
def test_what_is_inside(path: str, found: str | None) -> None:
    assert inside(ROOT, path) == found


@given(st.text(alphabet="./~ab\\", max_size=20))
def test_nothing_inside_climbs_out(path: str) -> None:
    found = inside(ROOT, path)
    assert found is None or (not found.startswith("/") and ".." not in found.split("/"))


def test_a_wish_is_read_from_whatever_is_filled_in() -> None:
    call = {
        "title": "Write",
        "kind": "edit",
        "locations": [{"path": IN}],
        "content": [{"type": "diff", "path": "a.py", "newText": "x"}],
        "rawInput": {"file_path": "b.py", "command": ["sh", "-c", "x"]},
    }
    assert wish_of(call) == Wish("Write", "edit", (IN, "a.py", "b.py"), is_command=True)
    assert wish_of({"toolCallId": "x"}) == Wish("something", "")


@given(st.text(alphabet="ab\n", max_size=30), st.text(alphabet="ab\n", max_size=30))
def test_a_change_shows_what_is_gone_and_what_came(old: str, new: str) -> None:
    lines = change_lines("a.py", old, new).splitlines()
    gone = [line[2:] for line in lines if line.startswith("- ")]
    come = [line[2:] for line in lines if line.startswith("+ ")]
    first = int(lines[1].rpartition(" ")[2].rstrip("]")) - 1
    whole = old.splitlines()
    assert whole[:first] + come + whole[first + len(gone) :] == new.splitlines()
    assert whole[first : first + len(gone)] == gone


def test_a_long_change_is_cut_for_the_pane() -> None:
    shown = change_lines("a.py", "", "x\n" * 1000).splitlines()
    assert len(shown) == MAX_SHOWN + 3
    assert shown[-1] == "... 960 more lines"
