"""What every test gets: a state folder of its own, so that none touches the user's.

The rule a reader must not break: no fixture here replaces our code; doubles stand at the ports.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine must not fail a property: no clock decides over an example.
# In CI the same examples each time: a new one that fails is found, and told, at a desk.
settings.register_profile("orchestra", deadline=None)
settings.register_profile("orchestra-ci", deadline=None, derandomize=True)
settings.load_profile("orchestra-ci" if os.environ.get("CI") else "orchestra")

STATE_HOME = "ORCHESTRA_STATE_HOME"


@pytest.fixture(autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The per-user state folder of this test; child processes inherit it."""
    folder = tmp_path_factory.mktemp("state-home")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(STATE_HOME, str(folder))
        # Nobody's keyring is asked; a test that needs one brings its own.
        environment.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        yield folder
