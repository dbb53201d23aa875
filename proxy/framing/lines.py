"""NDJSON: one JSON text a line. LF ends a line, a CR before it belongs to the line end."""

from proxy.framing import TooLarge


class LineSplitter:
    """One stream's bytes to lines that are not blank, without their line ends. `max_event_bytes` bounds a line, CR included."""

    __slots__ = ("_dead", "_held", "_max")

    def __init__(self, max_event_bytes: int) -> None:
        self._max = max_event_bytes
        self._held = bytearray()  # the unfinished line
        self._dead = False

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk completes. Raises TooLarge."""
        if self._dead:
            raise TooLarge(self._max)
        *lines, rest = chunk.split(b"\n")
        if lines and self._held:
            lines[0] = bytes(self._held) + lines[0]
            self._held.clear()
        self._held += rest
        if len(self._held) > self._max or max(map(len, lines), default=0) > self._max:
            return self._overflow(lines)
        return _stripped(lines)

    def close(self) -> list[bytes]:
        """The body ended cleanly: the last line, if it lacked its line end. Raises TooLarge."""
        return self.feed(b"\n")

    def _overflow(self, lines: list[bytes]) -> list[bytes]:
        """Die; the lines before the one that is too large are still given."""
        self._dead = True
        self._held.clear()
        good = next((at for at, line in enumerate(lines) if len(line) > self._max), len(lines))
        given = _stripped(lines[:good])
        if not given:
            raise TooLarge(self._max)
        return given


def _stripped(lines: list[bytes]) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in lines if line and not line.isspace()]
