"""A tool call whose arguments are still coming."""

import msgspec

from proxy.events import Tool

# Arguments are not checked more often than this: a stream that turns to and fro inside a call must
# not make each turn cost its length.
MAX_CHECKS = 16
_json_value = msgspec.json.Decoder(msgspec.Raw).decode


class PendingCall(msgspec.Struct, eq=False):
    """An open call. `pieces` are its arguments, None once they are too long to be kept."""

    block: int
    key: int | str
    pieces: list[str] | None
    held: int = 0  # what they are counted as
    checks: int = 0
    unchecked: bool = False  # arguments came since the last check
    whole: bool = False  # what the last check found
    untold: Tool | None = None  # begun, but not told yet: its name may go on
    empty: bool = False  # its arguments are `{}` so far, and not told yet
    proof: tuple[str, str | None] | None = None  # a signature, and whose it is

    def is_repeated(self) -> bool:
        """Whether an object would be a second one behind arguments that are complete."""
        last = self.pieces[-1] if self.pieces else ""
        return last.endswith("}") and self.complete()

    def complete(self) -> bool:
        """Whether the arguments are a JSON value to which nothing can be added. Only a number could
        go on: it never counts.
        """
        if self.unchecked and self.pieces is not None and self.checks < MAX_CHECKS:
            self.unchecked = False
            self.checks += 1
            self.whole = self._check(self.pieces)
        return self.whole and not self.unchecked

    def _check(self, pieces: list[str]) -> bool:
        text = "".join(pieces)
        self.pieces = [text]
        if not text.rstrip().endswith(("}", "]", '"')):
            return False
        try:
            _json_value(text)
        except (ValueError, RecursionError):  # not JSON (yet), no UTF-8, or nested too deep to tell
            return False
        return True
