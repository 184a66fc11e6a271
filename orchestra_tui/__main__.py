"""`python -m orchestra_tui` is the same as `orchestra`."""

import sys

from orchestra_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
