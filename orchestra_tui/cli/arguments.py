"""The command line as scripts rely on it: its commands and their options.

The rule a reader must not break: only the standard library is imported here, so that a mistyped
option is answered at once.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

from orchestra_tui.cli.top import USAGE_LINE

MODES = ("sequential", "parallel", "pipeline", "watch")
SCENARIOS = ("calm", "storm", "stall", "hopeless")
COMMANDS = ("run", "plan", "resume", "sessions", "metrics", "doctor", "keys", "validate")
ROLES = ("architect", "executor", "auditor", "consultant")

T = TypeVar("T")


@dataclass(frozen=True)
class Arguments:
    """What was asked for. `command` is one of COMMANDS, or `app`."""

    command: str
    path: Path
    task: str = ""
    headless: bool = False
    auto_approve: bool = False
    plan: Path | None = None
    mode: str | None = None
    max_concurrency: int | None = None
    rehearse: str | None = None
    here: bool = False
    commit: bool = False
    checks: bool = True
    cache: bool = True
    json: bool = False
    session: str | None = None
    approve: bool = False
    key_action: str = ""
    key_name: str = ""
    has_key_argument: bool = False
    """Somebody wrote a key on the command line; it is not kept here."""
    write: bool = False
    yes: bool = False
    files: tuple[Path, ...] = ()
    old: Path | None = None
    against: str | None = None
    staged: bool = False
    budget: tuple[tuple[str, Decimal], ...] = ()
    """US dollars by role; the empty role is the session. So are the two below."""
    budget_tokens: tuple[tuple[str, int], ...] = ()
    budget_minutes: tuple[tuple[str, float], ...] = ()
    allow_unknown_price: bool = False
    all: bool = False


def parse(argv: Sequence[str]) -> Arguments:
    """The arguments. Exits with 2 and a message on stderr when they cannot be understood."""
    if argv and argv[0] in COMMANDS:
        return _parse_command(argv)
    parser = argparse.ArgumentParser(prog="orchestra", usage=USAGE_LINE, add_help=False)
    parser.add_argument(
        "path",
        nargs="?",
        default=".",
        type=_folder,
        metavar="PATH",
        help="the project folder (default: this one)",
    )
    _add_rehearsal(parser)
    options = parser.parse_args(argv)
    return Arguments("app", options.path, rehearse=options.rehearse, here=options.here)


def _parse_command(argv: Sequence[str]) -> Arguments:
    parser = argparse.ArgumentParser(prog="orchestra")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_run(commands.add_parser("run", help="run a task"))
    _add_plan(commands.add_parser("plan", help="draft a plan for a task and print it"))
    _add_resume(commands.add_parser("resume", help="go on where a run stopped"))
    _add_common(commands.add_parser("sessions", help="list the sessions"))
    _add_metrics(commands.add_parser("metrics", help="what model calls used, and how they went"))
    _add_doctor(commands.add_parser("doctor", help="what can work here"))
    _add_keys(commands.add_parser("keys", help="the keys of your providers"))
    _add_validate(commands.add_parser("validate", help="look for damage in files"))
    options = vars(parser.parse_args(argv))
    if options["command"] == "validate":
        if problem := _validate_problem(options):
            parser.error(problem)
        return Arguments(**options | {"files": tuple(options["files"])})
    if options.get("mode") == "watch":
        parser.error("watch mode is not in this version: use sequential, parallel or pipeline")
    if "task" in options and not options["task"].strip():
        parser.error("the task is empty: say what shall be built")
    if "task" in options and not _is_text(options["task"]):
        parser.error("the task is not UTF-8 text: check the encoding of your terminal")
    options["path"] = options.pop("cwd")
    for name in ("budget", "budget_tokens", "budget_minutes"):
        options[name] = tuple(options.get(name, ()))
    return Arguments(**options)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", metavar="TASK", help="what shall be built")
    parser.add_argument("--headless", action="store_true", help="run without the app")
    parser.add_argument(
        "--auto-approve",
        action="store_true",
        help="approve the plan as it is; without it a headless run exits 5",
    )
    parser.add_argument(
        "--plan",
        type=_file,
        metavar="FILE",
        help="use this plan (Markdown or JSON) instead of asking the Architect",
    )
    parser.add_argument("--mode", choices=MODES, help="how the work is spread")
    parser.add_argument(
        "--max-concurrency", type=_count, metavar="N", help="how much may run at once (1 to 32)"
    )
    parser.add_argument(
        "--no-checks", dest="checks", action="store_false", help="do not run the project's tests"
    )
    _add_cache(parser)
    _add_budget(parser)
    _add_commit(parser)
    _add_rehearsal(parser)
    _add_common(parser)


def _add_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", metavar="TASK", help="what shall be built")
    _add_budget(parser)
    _add_rehearsal(parser)
    _add_common(parser)


def _add_resume(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "session",
        nargs="?",
        metavar="SESSION",
        help="the session (default: the newest that can go on)",
    )
    parser.add_argument("--approve", action="store_true", help="approve the plan that waits")
    parser.add_argument(
        "--plan",
        type=_file,
        metavar="FILE",
        help="use this plan (Markdown or JSON) instead of the one that waits",
    )
    parser.add_argument("--headless", action="store_true", help="go on without the app")
    _add_cache(parser)
    _add_budget(parser)
    _add_commit(parser)
    _add_common(parser)


def _add_keys(parser: argparse.ArgumentParser) -> None:
    """`keys` alone lists; the value of a key is asked for, never an argument."""
    parser.set_defaults(key_action="list", key_name="", has_key_argument=False, json=False)
    parser.set_defaults(cwd=Path())
    actions = parser.add_subparsers(metavar="ACTION")
    listing = actions.add_parser("list", help="which keys there are, and where; never their value")
    listing.add_argument("--json", action="store_true", help="one JSON record per line")
    for action, help_text in (
        ("set", "keep a key; it is asked for without echo, or read from stdin"),
        ("remove", "take a key out of the key file and the keyring"),
    ):
        one = actions.add_parser(action, help=help_text)
        one.set_defaults(key_action=action)
        one.add_argument(
            "key_name", metavar="NAME", help="the name of its variable, such as GEMINI_API_KEY"
        )
        if action == "set":
            # Without this argparse would repeat a key that was written here, in its complaint.
            one.add_argument(
                "has_key_argument", nargs="*", action=_Presence, help=argparse.SUPPRESS
            )


class _Presence(argparse.Action):
    """That something was written, not what."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, bool(values))


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--write",
        action="store_true",
        help="write the proposed adapters and chains to the configuration file, after a question",
    )
    parser.add_argument("--yes", action="store_true", help="with --write: do not ask")
    _add_common(parser)


def _add_validate(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(path=Path())
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="a file, or a folder with all in it that git does not ignore",
    )
    before = parser.add_mutually_exclusive_group()
    before.add_argument(
        "--old", type=_file, metavar="FILE", help="the text before; damage it had does not count"
    )
    before.add_argument("--against", metavar="REV", help="the texts before are those of a commit")
    before.add_argument("--staged", action="store_true", help="judge what is staged, against HEAD")
    parser.add_argument("--json", action="store_true", help="one JSON object per file")


def _validate_problem(options: dict[str, Any]) -> str:
    files: list[Path] = options["files"]
    if not files and not options["staged"] and options["against"] is None:
        return "name a file or a folder, or use --staged or --against REV"
    if options["old"] is not None and (len(files) != 1 or files[0].is_dir()):
        return "--old goes with one file"
    return ""


def _add_metrics(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "session",
        nargs="?",
        metavar="SESSION",
        help="the session (default: the newest of this project)",
    )
    parser.add_argument(
        "--all", action="store_true", help="the newest sessions of this project together"
    )
    _add_common(parser)


def _add_cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-cache",
        dest="cache",
        action="store_false",
        help="ask for every answer anew, and keep none",
    )


def _add_budget(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "budget", "checked before each model call; a headless run that reaches it exits 4"
    )
    for name, read, unit, what in (
        ("--budget", _usd, "USD", "US dollars, e.g. 2.00"),
        ("--budget-tokens", _positive, "N", "tokens in and out together"),
        ("--budget-minutes", _minutes, "M", "minutes in which work goes on"),
    ):
        group.add_argument(
            name,
            type=_of_role(read),
            action="append",
            default=[],
            metavar=f"[ROLE=]{unit}",
            help=f"{what}, of the session or of one role; may be repeated",
        )
    group.add_argument(
        "--allow-unknown-price",
        action="store_true",
        help="also call models whose price is not known; they then count as nothing",
    )


def _add_commit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--commit",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="commit the accepted files at the end (default: no)",
    )


def _add_rehearsal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rehearse", choices=SCENARIOS, help="scripted agents, no AI: calm, or with faults"
    )
    parser.add_argument(
        "--here",
        action="store_true",
        help="rehearse in this project instead of a scratch repository",
    )


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON record per line")
    parser.add_argument(
        "--cwd",
        type=_folder,
        default=Path(),
        metavar="PATH",
        help="the project folder (default: this one)",
    )


def _is_text(text: str) -> bool:
    """False for bytes that the terminal sent and that are no UTF-8."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a folder")
    return path


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text} is not a file")
    return path


def _of_role(read: Callable[[str], T]) -> Callable[[str], tuple[str, T]]:
    """Reads `2.00`, or `executor=2.00` for one role."""

    def read_with_role(text: str) -> tuple[str, T]:
        role, is_there, value = text.rpartition("=")
        if is_there and role not in ROLES:
            raise argparse.ArgumentTypeError(f"{role} is no role: there are {', '.join(ROLES)}")
        return role, read(value)

    return read_with_role


def _usd(text: str) -> Decimal:
    try:
        usd = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        usd = Decimal(0)
    if not usd.is_finite() or usd <= 0:
        raise argparse.ArgumentTypeError("an amount in US dollars is needed, such as 2.00")
    return usd


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number from 1 is needed")
    return int(text)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < float("inf"):
        raise argparse.ArgumentTypeError("a number of minutes above 0 is needed")
    return minutes


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 32:
        raise argparse.ArgumentTypeError("a whole number from 1 to 32 is needed")
    return int(text)
