"""The app on a terminal: engine and user interface in one event loop, again for each project.

The rule a reader must not break: the first frame comes before the engine is loaded, and the
engine is closed whatever happens to the screen.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from orchestra_tui.app import AppOptions, OrchestraApp, Reopen
from orchestra_tui.cli.arguments import Arguments
from orchestra_tui.cli.deferred import DeferredEngine, Preparation
from orchestra_tui.cli.run_settings import run_settings
from orchestra_tui.config import load_settings
from orchestra_tui.domain.errors import UsageError
from orchestra_tui.domain.settings import RunSettings
from orchestra_tui.widgets.external_editor import is_lent


def run_app(arguments: Arguments) -> int:
    """Open the app, and open it again where the user wants to go on; the exit code."""
    if not (all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))):
        raise UsageError(
            "there is no terminal to open the app on: use `orchestra run TASK --headless "
            "--auto-approve`, with --rehearse calm if no provider is configured"
        )
    _follow_the_terminal()
    settings = load_settings()
    preparation = Preparation(arguments)
    while True:
        result, code = asyncio.run(_run_once(preparation, run_settings(arguments, settings)))
        if not isinstance(result, Reopen):
            return code
        preparation = _next(arguments, result, preparation)


def _next(arguments: Arguments, wish: Reopen, before: Preparation) -> Preparation:
    """What to open after the user left one project for another, or for other agents."""
    if wish.session is None:
        # Nothing starts by itself with agents that were just chosen, whatever was asked first.
        rehearse = "calm" if wish.rehearse else None
        plain = Arguments(
            "app", arguments.path, task=wish.task, rehearse=rehearse, cache=arguments.cache
        )
        return Preparation(plain, health=before.health)
    reopen = Path(wish.root), wish.session
    preparation = Preparation(arguments, reopen, health=before.health)
    return preparation if wish.resume else preparation.only_looking()


async def _run_once(preparation: Preparation, chosen: RunSettings) -> tuple[Reopen | None, int]:
    client = DeferredEngine(preparation)
    asked = preparation.arguments
    is_started = asked.auto_approve or asked.plan is not None
    is_new = preparation.reopen is None and not is_started
    options = AppOptions(
        initial_task=asked.task if is_new else "",
        run_settings=chosen,
        use_ascii=not _speaks_unicode(),
    )
    app = OrchestraApp(client, options=options)
    _listen_to_signals(app)
    try:
        result = await app.run_async()
    finally:
        await client.close()
    return result, app.return_code or 0


def _follow_the_terminal() -> None:
    """Forget the size that a parent wrote down once; some do, and the app would never resize."""
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)


def _listen_to_signals(app: OrchestraApp) -> None:
    """SIGINT and SIGTERM leave as ctrl+q does, so that the terminal is given back.

    It also lets every signal wake the loop: without it one that comes just as the loop falls
    asleep (a change of size, say) is handled at the next key.
    """
    if sys.platform == "win32":
        return

    def interrupt() -> None:
        # A ctrl+c in the user's editor reaches everybody on this terminal.
        if not is_lent(app):
            app.action_leave(128 + signal.SIGINT)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGTERM, app.action_leave, 128 + signal.SIGTERM)


def _speaks_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
