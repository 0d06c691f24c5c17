"""`python -m lmdeck.demo`."""

import sys

from lmdeck.demo.main import main

sys.exit(main())
