"""`python -m bank_simulator`: the door to the command line."""

import sys

from bank_simulator.cli import main

sys.exit(main())
