"""The composition root: arguments -> settings -> engine -> app, or the same run without the app.

The rule a reader must not break: nothing heavy is imported before the arguments are understood,
and every error a person can cause ends in one sentence on stderr and an exit code, never in a
traceback.
"""

import io
import os
import sys

from orchestra_tui import __version__
from orchestra_tui.cli.top import CRASHED, HELP, UNAVAILABLE, USAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestra_tui.cli.arguments import Arguments

__all__ = ["main"]


def main(argv: "Sequence[str] | None" = None) -> int:
    """Run `orchestra` with these arguments (the process's own if None); return its exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] in {"-h", "--help", "--version"}:
        print(f"orchestra {__version__}" if words[0] == "--version" else HELP.rstrip())
        return 0
    _secure_streams()
    _silence_logging()
    try:
        from orchestra_tui.cli.arguments import parse
        from orchestra_tui.domain.errors import OrchestraError, StorageError, UsageError

        return _run(parse(words))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read our output is gone: nobody is left to tell, and Python would complain.
        sys.stderr.close()
        return 141
    except UsageError as error:
        return _say(error, USAGE)
    except StorageError as error:
        return _say(error, USAGE if type(error).__name__ == "ProjectLocked" else UNAVAILABLE)
    except OrchestraError as error:
        return _say(error, CRASHED)


def _run(arguments: "Arguments") -> int:
    if arguments.command not in {"keys", "validate"} and not arguments.path.is_absolute():
        _require_folder()
    match arguments.command:
        case "sessions":
            from orchestra_tui.cli.reports import print_sessions

            return print_sessions(arguments)
        case "doctor":
            from orchestra_tui.cli.doctor_report import run_doctor

            return run_doctor(arguments)
        case "metrics":
            from orchestra_tui.cli.metrics_report import print_metrics

            return print_metrics(arguments)
        case "keys":
            from orchestra_tui.cli.keys import run_keys

            return run_keys(arguments)
        case "validate":
            from orchestra_tui.cli.validating import validate_files

            return validate_files(arguments)
        case "plan":
            from orchestra_tui.cli.headless import plan_only

            return plan_only(arguments)
    if arguments.headless:
        from orchestra_tui.cli.headless import run_headless

        return run_headless(arguments)
    from orchestra_tui.cli.interactive import run_app

    return run_app(arguments)


def _require_folder() -> None:
    """Raises UsageError if the folder we were started in is not there any more."""
    from orchestra_tui.domain.errors import UsageError

    try:
        os.getcwd()
    except OSError as error:
        raise UsageError(
            f"the folder you are in cannot be used ({error.strerror}): change to one that is there"
        ) from None


def _secure_streams() -> None:
    """Have three streams that take any text, whatever the caller closed or set.

    A closed descriptor would be given to the next file that is opened: the journal, say.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            handle = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(handle, mode, encoding="utf-8", closefd=False))
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _silence_logging() -> None:
    """Log entries go to the log file of a project or nowhere: never on the terminal, with whatever
    they hold. Without this, Python prints what nobody listens to.
    """
    import logging

    logging.lastResort = None


def _say(error: Exception, code: int) -> int:
    from orchestra_tui.domain.text import clean

    print(f"orchestra: {clean(str(error))}", file=sys.stderr)
    return code
