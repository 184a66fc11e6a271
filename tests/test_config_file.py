"""Changing the user's file: what he wrote survives, what is wrong is refused, nothing is lost."""

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestra_tui.cli.config_file import ConfigFile
from orchestra_tui.config import CONFIG_ENV, config_path, load_settings
from orchestra_tui.domain.doctor import Offer
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.ids import Role

CODEX = Offer(name="codex", fields={"kind": "codex"})
OLLAMA = Offer(name="ollama", fields={"preset": "ollama", "model": 'q"\\7b'}, is_free=True)
FILE = """\
# mine, since 2024
[adapters.glm]   # the plan
preset = "zai-coding"
model = "glm-4.7"

# who does what
[chains]
executor = ["glm"]  # cheap
auditor = [
  # in this order
  "glm",  # first
]

[run]
mode = "parallel"   # I like it
# the end
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def file_at(path: Path) -> ConfigFile:
    return ConfigFile({"ORCHESTRA_CONFIG": str(path)})


def comments(text: str) -> list[str]:
    found = (line.partition("#")[2].strip() for line in text.splitlines())
    return sorted(filter(None, found))


def test_a_change_leaves_the_rest_as_it_was_written(place: Path) -> None:
    place.chmod(0o640)
    chains = {Role.EXECUTOR: ("glm", "codex"), Role.AUDITOR: ("codex", "glm")}
    changed = file_at(place).save([CODEX], chains)
    text = place.read_text(encoding="utf-8")
    assert comments(text) == comments(FILE)
    assert 'executor = ["glm", "codex"]  # cheap' in text
    assert "# who does what\n[chains]" in text
    assert tomllib.loads(text)["run"] == {"mode": "parallel"}
    assert changed.chains[Role.AUDITOR] == ("codex", "glm")
    assert [adapter.name for adapter in changed.adapters] == ["glm", "codex"]
    assert place.stat().st_mode & 0o777 == 0o640


def test_a_file_with_crlf_keeps_it_in_what_is_added_too(place: Path) -> None:
    place.write_bytes(FILE.replace("\n", "\r\n").encode())
    file_at(place).save([CODEX], {Role.EXECUTOR: ("glm", "codex"), Role.AUDITOR: ("codex", "glm")})
    data = place.read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n") > FILE.count("\n")
    assert comments(data.decode()) == comments(FILE)


def test_what_was_there_stays_in_a_backup_whatever_happens_next(place: Path) -> None:
    file = file_at(place)
    file.save([CODEX], {})
    second = place.read_bytes()
    file.save([], {Role.EXECUTOR: ("codex",)})
    file.save([], {Role.EXECUTOR: ("glm",)})
    kept = [path.read_bytes() for path in place.parent.glob("config.toml.bak*")]
    assert FILE.encode() in kept
    assert second in kept
    assert len(kept) == len(set(kept)) == 3


def test_nothing_to_change_writes_nothing(place: Path) -> None:
    file_at(place).save([], {Role.EXECUTOR: ("glm",)})
    assert place.read_text(encoding="utf-8") == FILE
    assert os.listdir(place.parent) == ["config.toml"]


def test_a_chain_can_be_taken_out(place: Path) -> None:
    file_at(place).save([], {Role.EXECUTOR: ()})
    assert tomllib.loads(place.read_text(encoding="utf-8"))["chains"] == {"auditor": ["glm"]}


def test_without_a_file_one_is_made_for_the_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "new"))
    file = ConfigFile({})
    assert file.read().adapters == ()
    file.save([CODEX, OLLAMA], {role: ("codex", "ollama") for role in Role})
    read = file.read()
    path = Path(read.place)
    assert [adapter.name for adapter in read.adapters] == ["codex", "ollama"]
    assert read.adapters[1].model == 'q"\\7b'
    assert read.chains == {role: ("codex", "ollama") for role in Role}
    assert path.is_relative_to(tmp_path)
    assert os.listdir(path.parent) == ["config.toml"]
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link(place: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(place)
    file_at(link).save([CODEX], {})
    assert link.is_symlink()
    assert "codex" in place.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("offers", "chains", "words"),
    [
        ([], {Role.EXECUTOR: ("nobody",)}, "there is no adapter 'nobody'"),
        ([Offer(name="x", fields={"kind": "codex", "thinking": "yes"})], {}, "adapters.x"),
        ([Offer(name="x", fields={"kind": "Tele pathy"})], {}, "adapters.x.kind"),
        ([Offer(name="x", fields={"preset": "ollama"})], {}, "needs model"),
        ([Offer(name="glm", fields={"kind": "codex"})], {}, "add by hand"),
    ],
)
def test_a_change_that_would_not_load_is_refused(
    offers: list[Offer], chains: dict[Role, tuple[str, ...]], words: str, place: Path
) -> None:
    for act in (file_at(place).preview, file_at(place).save):
        with pytest.raises(UsageError, match=words):
            act(offers, chains)
    assert place.read_text(encoding="utf-8") == FILE
    assert os.listdir(place.parent) == ["config.toml"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("adapters = {glm = {kind = 'codex'}}\n", "add by hand"),
        ("chains = 1\n", "add by hand"),
        ("adapters = [\n", "cannot be read"),
        ("\xff", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_changed_safely_is_not_changed(
    text: str, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match=words):
        file_at(path).save([CODEX], {Role.EXECUTOR: ("codex",)})
    assert path.read_bytes() == text.encode("latin-1")


def test_a_change_by_somebody_else_in_between_is_not_overwritten(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The editor saves while we think: seen at the last moment, because it is looked for there."""
    from orchestra_tui.cli import config_file

    def meanwhile(*arguments: object) -> object:
        place.write_text(FILE + "# and this\n", encoding="utf-8")
        return load(*arguments)

    load = config_file.settings_from
    monkeypatch.setattr(config_file, "settings_from", meanwhile)
    with pytest.raises(UsageError, match="changed meanwhile"):
        file_at(place).save([CODEX], {})
    assert place.read_text(encoding="utf-8") == FILE + "# and this\n"


def test_the_environments_adapter_is_asked_first_and_never_written(place: Path) -> None:
    environment = {
        "ORCHESTRA_CONFIG": str(place),
        "ORCHESTRA_BASE_URL": "http://127.0.0.1:9/v1",
        "ORCHESTRA_MODEL": "m",
    }
    file = ConfigFile(environment)
    changed = file.save([CODEX], {Role.CONSULTANT: ("codex",)})
    assert changed.chains[Role.EXECUTOR] == ("environment", "glm")
    assert file.read().chains[Role.CONSULTANT] == ("codex",)
    assert "environment" not in place.read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="in no file"):
        file.save([], {Role.CONSULTANT: ("environment",)})


_NAMES = ("glm", "mine", "codex", "odd name", 'quo"te')
_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), max_size=12)


@st.composite
def files(draw: st.DrawFn) -> str:
    """A file as people write them: tables in any order, comments anywhere, arrays in two forms."""

    def remark() -> str:
        return f"  # {draw(_TEXT)}" if draw(st.booleans()) else ""

    def array(names: list[str]) -> str:
        quoted = [_quoted(name) for name in names]
        if not names or draw(st.booleans()):
            return f"[{', '.join(quoted)}]{remark()}"
        return "[\n" + "".join(f"  {name},{remark()}\n" for name in quoted) + f"]{remark()}"

    parts = [
        f"[adapters.{_quoted(name)}]{remark()}\nkind = 'codex'{remark()}\n" for name in _NAMES[:3]
    ]
    chains = draw(st.dictionaries(st.sampled_from(list(Role)), st.permutations(_NAMES[:3])))
    if chains or draw(st.booleans()):
        lines = [f"{role.value} = {array(names[:2])}\n" for role, names in chains.items()]
        parts.append(f"[chains]{remark()}\n" + "".join(lines))
    parts.append(f"[run]{remark()}\nmode = 'pipeline'{remark()}\nmax_iterations = 2\n")
    mixed = draw(st.permutations(parts))
    return draw(st.sampled_from(["", "# top\n\n"])) + "\n".join(mixed) + draw(_END)


_END = st.sampled_from(["", "\n", "# no newline at the end"])


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


_NEW = st.sampled_from([(), (OLLAMA,), (Offer(name=_NAMES[3], fields={"kind": "vibe"}), OLLAMA)])
_CHAINS = st.dictionaries(
    st.sampled_from(list(Role)), st.permutations(_NAMES[:3]).map(lambda names: tuple(names[:2]))
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(text=files(), offers=_NEW, chains=_CHAINS)
def test_comments_and_everything_else_survive(
    text: str, offers: tuple[Offer, ...], chains: dict[Role, tuple[str, ...]], tmp_path: Path
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode())
    file_at(path).save(offers, chains)
    after = path.read_bytes().decode()
    assert comments(after) == comments(text)
    was, now = tomllib.loads(text), tomllib.loads(after)
    assert now["run"] == was["run"]
    assert now["adapters"] == {**was["adapters"], **{o.name: o.fields for o in offers}}
    changed = {role.value: list(names) for role, names in chains.items()}
    assert now.get("chains", {}) == {**was.get("chains", {}), **changed}
    for unchanged in text.splitlines():
        if unchanged.startswith(("kind", "mode", "max")):
            assert unchanged in after.splitlines()


def test_the_home_of_a_user_who_is_not_here_is_a_place_like_any_other() -> None:
    """`Path.expanduser` would raise, and the program end with a defect."""
    named = {CONFIG_ENV: "~no-such-user/config.toml"}
    assert config_path(named) == Path("~no-such-user/config.toml")
    with pytest.raises(UsageError, match="no such configuration file"):
        load_settings(named)
