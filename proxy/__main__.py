"""`python -m proxy` is the same as `mainstem`."""

import sys

from proxy.cli import main

sys.exit(main())
