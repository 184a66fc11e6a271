"""How a run behaves: the configuration, and what the command line says on top of it."""

from orchestra_tui.cli.arguments import Arguments
from orchestra_tui.cli.budgets import with_flags
from orchestra_tui.domain.settings import Mode, RunSettings, Settings


def run_settings(arguments: Arguments, settings: Settings) -> RunSettings:
    """The settings of a run that is started with these arguments."""
    update: dict[str, object] = {
        "unattended": arguments.headless,
        "budget": with_flags(settings.budget, arguments),
    }
    if arguments.mode is not None:
        update["mode"] = Mode(arguments.mode)
    if arguments.max_concurrency is not None:
        update["max_concurrency"] = arguments.max_concurrency
    if not arguments.checks:
        update["run_checks"] = False
    return settings.run.model_copy(update=update)
