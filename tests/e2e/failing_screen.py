"""The app with a Run screen that breaks while the agents work; started by test_terminal."""

import sys
from importlib import resources

from orchestra_tui.app import OrchestraApp
from orchestra_tui.cli import main
from orchestra_tui.domain.state import Phase, SessionState
from orchestra_tui.screens.run import RunScreen


class BrokenRunScreen(RunScreen):
    """Fails as a defect of ours would."""

    CSS_PATH = str(resources.files("orchestra_tui") / "styles" / "run.tcss")

    def watch_session(self, session: SessionState | None) -> None:
        """Break at the first sign of work."""
        super().watch_session(session)
        if session is not None and session.run and session.run.phase is Phase.EXECUTING:
            raise RuntimeError("a defect in a screen \x1b]52;c;ZXZpbA==\x07")


if __name__ == "__main__":
    OrchestraApp.MODES = {**OrchestraApp.MODES, "run": BrokenRunScreen}
    sys.exit(main(sys.argv[1:]))
