"""NDJSON: one JSON text a line. LF ends a line, a CR before it belongs to it; a BOM before the
first line says nothing (RFC 8259, 8.1).
"""

from proxy.framing import FramingError, TooLarge

_BOM = b"\xef\xbb\xbf"


class LineSplitter:
    """One stream's bytes to lines that are not blank, without their line ends. `max_event_bytes`
    bounds a line, CR included.
    """

    __slots__ = ("_begun", "_held", "_max", "fault")

    def __init__(self, max_event_bytes: int) -> None:
        self._max = max_event_bytes
        self._held = bytearray()  # the unfinished line
        self._begun = False  # the first line has come
        self.fault: FramingError | None = None

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk completes. Raises TooLarge."""
        if self.fault is not None:
            raise self.fault.again()
        *lines, rest = chunk.split(b"\n")
        if lines and self._held:
            lines[0] = bytes(self._held) + lines[0]
            self._held.clear()
        self._held += rest
        if len(self._held) > self._max or max(map(len, lines), default=0) > self._max:
            return self._overflow(lines)
        return self._given(lines)

    def close(self) -> list[bytes]:
        """The body ended cleanly: the last line, if it lacked its line end. Raises TooLarge."""
        return self.feed(b"\n")

    def _overflow(self, lines: list[bytes]) -> list[bytes]:
        """Die; the lines before the one that is too large are still given."""
        self.fault = TooLarge(self._max)
        self._held.clear()
        good = next((at for at, line in enumerate(lines) if len(line) > self._max), len(lines))
        given = self._given(lines[:good])
        if not given:
            raise self.fault.again()
        return given

    def _given(self, lines: list[bytes]) -> list[bytes]:
        """After the bound, which counts a BOM however the bytes are cut."""
        if lines and not self._begun:
            self._begun = True
            lines[0] = lines[0].removeprefix(_BOM)
        return _stripped(lines)


def _stripped(lines: list[bytes]) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in lines if line and not line.isspace()]
