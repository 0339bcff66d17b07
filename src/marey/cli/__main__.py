"""`python -m marey.cli`, the same as the command `marey`."""

import sys

from marey.cli import main

if __name__ == "__main__":
    sys.exit(main())
