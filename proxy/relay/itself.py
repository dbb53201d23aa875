"""Another process of this program: it finds this package, installed or not, and no other one."""

import os
import sys
from pathlib import Path

# -P: a folder or file named proxy, where the command was given, is not us.
PYTHON = (sys.executable, "-P")


def python_path() -> str:
    """What it must have as PYTHONPATH."""
    ours = str(Path(__file__).parents[2])
    return os.pathsep.join([ours, *filter(None, [os.environ.get("PYTHONPATH")])])
