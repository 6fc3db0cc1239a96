"""`python -m trivium`: the command line, where the `trivium` command is not on the path."""

__all__: list[str] = []

import sys

from trivium.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
