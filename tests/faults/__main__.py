"""`python -m tests.faults` prints the table, `--write` writes it to docs/FAULTS.md."""

import sys

from tests.faults.table import PAGE, page

if "--write" in sys.argv:
    PAGE.write_text(page(), "utf-8")
else:
    sys.stdout.write(page())
