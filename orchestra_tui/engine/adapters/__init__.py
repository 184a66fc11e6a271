"""Ways to reach a model: the port, the adapters behind it, and the scripted rehearsal.

The rule a reader must not break: only this room talks HTTP, and no adapter retries by itself.
"""

import importlib
import sys
from types import ModuleType

# httpx imports its own command line, and with it click, pygments and rich wherever they are
# installed: a third of its start-up, and a user interface inside of every headless run. It goes
# without if that module has no `main`. This package runs before any module of it imports httpx.
if "httpx" not in sys.modules:
    sys.modules["httpx._main"] = ModuleType("httpx._main")
    importlib.import_module("httpx")
    del sys.modules["httpx._main"]
