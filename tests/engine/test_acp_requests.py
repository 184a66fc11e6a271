"""What an agent asks of us: permissions, and files of its copy through our hands."""

import json
import sys
from pathlib import Path

import pytest

from orchestra_tui.domain.ids import Role
from orchestra_tui.engine.adapters import base
from tests.engine.acp_sandbox import REPLY, WRITTEN, AcpBench
from tests.stubs.scripted_acp import FOLDER, asks, does, ends, playing, says, wants

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the agent is a shell script")


@pytest.fixture
def bench(tmp_path: Path) -> AcpBench:
    return AcpBench(tmp_path)


async def test_a_file_written_through_us_is_the_reply(bench: AcpBench) -> None:
    write = asks("fs/write_text_file", path=f"{FOLDER}/hello.txt", content=WRITTEN)
    answer = await bench.ask(playing(write, says("Done."), ends()))
    assert answer.text == REPLY
    assert "[hello.txt: -0 +1, from line 1]\n+ written by the fake model\n" in bench.shown
    assert not (bench.project / "hello.txt").exists()


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("/etc/orchestra.txt", "/etc/orchestra.txt is outside of its copy"),
        (f"{FOLDER}/../x.txt", "is outside of its copy"),
        ("~/x.txt", "~/x.txt is outside of its copy"),
        (f"{FOLDER}-twin/x.txt", "is outside of its copy"),
        (f"{FOLDER}/.git/hooks/x", "belongs to git"),
        (FOLDER, "it is no file of its copy"),
    ],
)
async def test_nothing_is_written_outside_of_the_copy(
    bench: AcpBench, place: str, why: str
) -> None:
    write = asks("fs/write_text_file", path=place, content=WRITTEN)
    await bench.ask(playing(write, says("Done."), ends()))
    assert why in json.dumps(bench.answer_to(8)["error"])


async def test_no_link_is_followed_out_of_the_copy(bench: AcpBench) -> None:
    outside = bench.folder / "outside"
    outside.mkdir()
    play = playing(
        does("link", path="way", to=str(outside)),
        asks("fs/write_text_file", path=f"{FOLDER}/way/x.txt", content=WRITTEN),
        says("Done."),
        ends(),
    )
    await bench.ask(play)
    assert "error" in bench.answer_to(8)
    assert list(outside.iterdir()) == []


async def test_a_file_is_read_as_it_stands_in_the_copy(bench: AcpBench) -> None:
    play = playing(
        does("write", files={"a.txt": "1\n2\n3\n"}),
        asks("fs/read_text_file", path=f"{FOLDER}/a.txt", line=2, limit=1),
        says("Done."),
        ends(),
    )
    await bench.ask(play)
    assert bench.answer_to(8)["result"] == {"content": "2\n"}


async def test_a_file_that_is_not_there_reads_as_empty(bench: AcpBench) -> None:
    read = asks("fs/read_text_file", path=f"{FOLDER}/none.txt")
    await bench.ask(playing(read, says("Done."), ends()))
    assert bench.answer_to(8)["result"] == {"content": ""}


async def test_what_we_do_not_offer_is_said(bench: AcpBench) -> None:
    await bench.ask(playing(asks("terminal/create", command="ls"), says("Done."), ends()))
    assert json.dumps(bench.answer_to(8)).count("-32601") == 1


@pytest.mark.parametrize(
    ("role", "wish", "option", "line"),
    [
        (Role.EXECUTOR, wants("Edit", "edit", f"{FOLDER}/a.py"), "yes", "[allowed: Edit]"),
        (Role.AUDITOR, wants("Edit", "edit", f"{FOLDER}/a.py"), "no", "this role only reads"),
        (Role.AUDITOR, wants("Look", "read", f"{FOLDER}/a.py"), "yes", "[allowed: Look]"),
        (Role.EXECUTOR, wants("Look", "read", "/etc/passwd"), "no", "outside of its copy"),
        (Role.EXECUTOR, wants("ls", "execute"), "no", "[refused: ls: it may start no program]"),
    ],
)
async def test_a_permission_is_decided_and_seen(
    bench: AcpBench, role: Role, wish: dict[str, object], option: str, line: str
) -> None:
    await bench.ask(playing(wish, says("Done."), ends()), role=role)
    said = bench.answer_to(7)["result"]
    assert said == {"outcome": {"outcome": "selected", "optionId": option}}
    assert line in bench.shown


async def test_a_person_can_allow_more(bench: AcpBench) -> None:
    await bench.ask(playing(wants("ls", "execute"), says("Done."), ends()), allow=["shell"])
    assert "[allowed: ls]" in bench.shown


async def test_a_turn_that_ends_with_a_refusal_says_why(bench: AcpBench) -> None:
    play = playing(wants("Edit", "edit", f"{FOLDER}/a.py"), ends("cancelled"))
    with pytest.raises(base.RequestRefused, match="it gave up after Edit: this role only reads"):
        await bench.ask(play, role=Role.AUDITOR)


async def test_an_agent_that_gives_up_without_a_word_says_why(bench: AcpBench) -> None:
    with pytest.raises(base.RequestRefused, match="it gave up after ls: it may start no program"):
        await bench.ask(playing(wants("ls", "execute"), ends()))


async def test_a_refusal_is_no_matter_where_there_is_an_answer(bench: AcpBench) -> None:
    write = does("write", files={"hello.txt": WRITTEN})
    answer = await bench.ask(playing(wants("ls", "execute"), write, ends()))
    assert answer.text == REPLY
