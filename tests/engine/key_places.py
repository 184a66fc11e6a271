"""Places for keys in a folder: an environment, a key file, and a keyring that is a double."""

import os
from dataclasses import dataclass
from pathlib import Path

from orchestra_tui.engine.keys.key_file import KeyFile
from orchestra_tui.engine.keys.key_store import KeyStore
from orchestra_tui.engine.keys.system_keyring import SystemKeyring

BACKENDS = Path(__file__).resolve().parents[1] / "stubs" / "keyrings"


def keyring_environment(folder: Path) -> dict[str, str]:
    """What makes the real keyring library use the double, which keeps its file in `folder`."""
    settings = folder / "config" / "python_keyring" / "keyringrc.cfg"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(
        f"[backend]\ndefault-keyring=kept_in_a_file.Keyring\nkeyring-path={BACKENDS}\n"
    )
    return {
        "HOME": str(folder),
        "PATH": os.defpath,
        "XDG_CONFIG_HOME": str(folder / "config"),
        "ORCHESTRA_TEST_KEYRING": str(folder / "keyring.json"),
    }


@dataclass
class Places:
    """A user's three places."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "user" / "keys.env"

    def file(self, text: str | None = None, *, mode: int = 0o600) -> KeyFile:
        if text is not None:
            self.path.parent.mkdir(exist_ok=True)
            self.path.write_text(text, encoding="utf-8")
            self.path.chmod(mode)
        return KeyFile(self.path, self.folder / "project")

    def ring(self, *, seconds: float | None = None) -> SystemKeyring:
        return SystemKeyring(keyring_environment(self.folder), seconds=seconds)

    def store(self, text: str | None = None, **environ: str) -> KeyStore:
        return KeyStore(environ, self.file(text), self.ring())
