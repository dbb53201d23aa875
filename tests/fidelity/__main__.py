"""`python -m tests.fidelity` prints the table, `--write` writes it to docs/FIDELITY.md."""

import sys

from tests.fidelity.page import PAGE, page

if "--write" in sys.argv:
    PAGE.write_text(page(), "utf-8")
else:
    sys.stdout.write(page())
