"""`python -m lmdeck`."""

import sys

from lmdeck.cli import main

if __name__ == "__main__":
    sys.exit(main())
