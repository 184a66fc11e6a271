"""The chain as a script meets it: exit codes, what is printed, and answers that are kept."""

import socket
from pathlib import Path

from tests.e2e.program import environment, make_repository, orchestra
from tests.stubs.openai_server import StubServer, refusal
from tests.stubs.scripted_agents import AFTER, BEFORE, scripted_agents

RUN = ("run", "double numbers", "--headless", "--auto-approve")


def configured(folder: Path, **base_urls: str) -> dict[str, str]:
    """The environment of a user with these adapters, in this order, for every role."""
    path = folder / "config.toml"
    tables = [
        f'[adapters.{name}]\nbase_url = "{url}"\nmodel = "m"\n' for name, url in base_urls.items()
    ]
    path.write_text("\n".join(tables), encoding="utf-8")
    return environment(ORCHESTRA_CONFIG=str(path))


def nobody() -> str:
    """An address at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


async def test_with_everything_down_it_exits_75_and_says_what_each_said(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    later = refusal(429, {"message": "come back later"}, {"retry-after": "600"})
    async with StubServer(later) as limited:
        env = configured(tmp_path, busy=limited.base_url, gone=nobody())
        finished = await orchestra(*RUN, cwd=root, env=env)
    assert finished.code == 75
    last = finished.out.splitlines()[-1]
    assert last.startswith("unavailable")
    assert "come back later" in last
    assert "gone: " in last
    assert "could not be reached" in last
    assert "can be asked again in" in last
    assert "goes to gone instead of busy" in finished.out
    assert "Traceback" not in finished.err


async def test_the_second_vendor_finishes_what_the_first_refuses(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "mine", BEFORE)
    async with StubServer(scripted_agents()) as server:
        env = configured(tmp_path, gone=nobody(), here=server.base_url)
        finished = await orchestra(*RUN, "--json", cwd=root, env=env)
    assert finished.code == 0
    assert finished.of_type("HopTaken")[0]["left"] == "gone"
    assert {hop["to"] for hop in finished.of_type("HopTaken")} == {"here"}
    for path, text in AFTER.items():
        assert (root / path).read_text(encoding="utf-8") == text


async def test_no_cache_asks_anew(tmp_path: Path) -> None:
    async with StubServer(scripted_agents()) as server:
        env = configured(tmp_path, here=server.base_url)
        asked = []
        for name, words in (("a", ()), ("b", ()), ("c", ("--no-cache",))):
            root = make_repository(tmp_path / name, BEFORE)
            before = len(server.requests)
            finished = await orchestra(*RUN, "--json", *words, cwd=root, env=env)
            assert finished.code == 0
            asked.append(len(server.requests) - before)
            assert bool(finished.of_type("CacheHit")) == (name == "b")
    assert asked[1] < asked[0]
    assert asked[2] == asked[0]
