"""Tracebacks for the log: where it happened and what kind of exception it was, without what the
exception says.

A message may hold a piece of a prompt, an answer or a key (`ValueError: invalid literal ... 'my
prompt'`, `KeyError: 'sk-...'`), so it is left out, but for kinds whose messages name only types,
attributes and files. Source lines are the program's own; locals are not looked at.
"""

import traceback
from types import TracebackType

_MAX_FRAMES = 40
_MAX_LINKED = 8
_MAX_MESSAGE_CHARS = 200
# Exactly these, no subclasses: a library's own may say anything.
_PLAIN_SPOKEN = frozenset(
    {
        *(
            AttributeError,
            ConnectionAbortedError,
            ConnectionRefusedError,
            ConnectionResetError,
            BrokenPipeError,
            FileNotFoundError,
        ),
        *(
            ImportError,
            IndexError,
            MemoryError,
            ModuleNotFoundError,
            NameError,
            NotImplementedError,
            OSError,
            PermissionError,
        ),
        *(RecursionError, TimeoutError, TypeError, UnboundLocalError, ZeroDivisionError),
    }
)


def traced(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """An exception and those that it came from, as Python lays them out."""
    return "\n".join(_chain(exc_info[1], []))


def _chain(error: BaseException, seen: list[BaseException]) -> list[str]:
    """The lines, the oldest first."""
    seen.append(error)
    before, how = (
        error.__cause__,
        "The above exception was the direct cause of the following exception:",
    )
    if before is None and not error.__suppress_context__:
        before, how = (
            error.__context__,
            "During handling of the above exception, another exception occurred:",
        )
    lines = []
    if before is not None and len(seen) < _MAX_LINKED and not any(before is each for each in seen):
        lines = [*_chain(before, seen), "", how, ""]
    lines += _one(error)
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        if len(seen) < _MAX_LINKED and not any(inner is each for each in seen):
            lines += ["", "In this group:", "", *_chain(inner, seen)]
    return lines


def _one(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__, limit=-_MAX_FRAMES)
    kind = type(error)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    said = f": {str(error)[:_MAX_MESSAGE_CHARS]}" if kind in _PLAIN_SPOKEN else ""
    head = ["Traceback (most recent call last):"] if frames else []
    return [
        *head,
        *(line for text in traceback.format_list(frames) for line in text.rstrip("\n").split("\n")),
        f"{name}{said}",
    ]
