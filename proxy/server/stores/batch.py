"""Commands to Redis that go out in one write. The client library packs each in more steps than its
sending takes, which would be most of what it costs to keep a stream.
"""

Part = bytes | str | int


class Batch:
    """Add commands, then `Link.send` it. Its methods are those of the library's pipeline."""

    __slots__ = ("_commands",)

    def __init__(self) -> None:
        self._commands: list[bytes] = []

    def __len__(self) -> int:
        return len(self._commands)

    def __bytes__(self) -> bytes:
        return b"".join(self._commands)

    def execute_command(self, *parts: Part) -> None:
        """Any command."""
        self._commands.append(_packed(parts))

    def set(self, key: str, value: Part, *, px: int) -> None:
        """See the command; it lives for so many milliseconds."""
        self.execute_command("SET", key, value, "PX", px)

    def pexpire(self, key: str, milliseconds: int) -> None:
        """See the command."""
        self.execute_command("PEXPIRE", key, milliseconds)

    def unlink(self, *keys: str) -> None:
        """See the command."""
        self.execute_command("UNLINK", *keys)

    def xtrim(self, key: str, *, minid: str) -> None:
        """See the command."""
        self.execute_command("XTRIM", key, "MINID", minid)


def _packed(parts: tuple[Part, ...]) -> bytes:
    """As an array of strings (Redis' serialization protocol, "Sending commands")."""
    out = [b"*%d\r\n" % len(parts)]
    for part in parts:
        data = part if type(part) is bytes else str(part).encode()
        out.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(out)
