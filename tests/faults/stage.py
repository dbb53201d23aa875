"""The upstream of the matrix: one listener in raw bytes, where the first segment of a request's
path says what is to be played."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum

from tests.dialects.sample import Sample, dumped
from tests.raw_upstream import LAST_CHUNK, Peer

# By then a proxy that lets go of an upstream has long done so: the longest timeout of the matrix is
# two seconds.
LET_GO_S = 15.0


class After(Enum):
    """What is left of a connection when an answer has been played."""

    KEPT = "kept"  # complete, as HTTP has it: the connection may be used again
    OVER = "over"  # it is no good any more: the proxy must close it
    CLOSED = "closed"  # by the upstream itself


class Playing:
    """One request's answer. `early`: the fault comes before anything of the answer's content, else
    behind the first piece of it."""

    def __init__(
        self, peer: Peer, sample: Sample, stage_url: str, *, early: bool, committed: asyncio.Event
    ) -> None:
        self.peer = peer
        self.sample = sample
        self.stage_url = stage_url
        self.early = early
        self._committed = committed

    def head(
        self,
        *lines: str,
        status: str = "200 OK",
        content_type: str | None = "",
        chunked: bool = True,
    ) -> None:
        """The head of the answer. `content_type` "" is that of the dialect, None is none."""
        said = [f"HTTP/1.1 {status}", *lines]
        if content_type is not None:
            said.append(f"Content-Type: {content_type or self.sample.content_type}")
        if chunked:
            said.append("Transfer-Encoding: chunked")
        self.peer.write("".join(f"{line}\r\n" for line in said).encode() + b"\r\n")

    def document(
        self, body: bytes, content_type: str, *lines: str, status: str = "200 OK"
    ) -> After:
        """A whole answer."""
        self.head(
            f"Content-Length: {len(body)}",
            *lines,
            status=status,
            content_type=content_type,
            chunked=False,
        )
        self.peer.write(body)
        return After.KEPT

    async def begin(self, *lines: str, chunked: bool = True) -> None:
        """The head, and the answer up to where the fault comes. Returns when the client has got
        what there is for it."""
        self.head(*lines, chunked=chunked)
        said = self.sample.opening if self.early else self.sample.opening + self.sample.first
        (self.send if chunked else self.peer.write)(said)
        if not self.early:
            await self.committed()

    async def committed(self) -> None:
        """Returns when the client has got the head of its answer."""
        await self._committed.wait()

    @property
    def next(self) -> bytes:
        """The piece with content that is due."""
        return self.sample.first if self.early else self.sample.second

    def send(self, said: bytes) -> None:
        """A chunk of the body; one without a byte would be its end."""
        if said:
            self.peer.send(said)

    def end(self) -> After:
        """The body ends, cleanly."""
        self.peer.write(LAST_CHUNK)
        return After.KEPT

    async def repeat(self, said: Callable[[], bytes], every_s: float) -> After:
        """Send this for as long as there is somebody who takes it."""
        left = asyncio.ensure_future(self.peer.left())
        try:
            while not left.done():
                self.send(said())
                await asyncio.wait([left], timeout=every_s)
        finally:
            left.cancel()
        return After.OVER


Play = Callable[[Playing], Awaitable[After]]


class Part:
    """What one cell of the matrix plays, and what came of it."""

    def __init__(self, sample: Sample, play: Play, *, early: bool, at_head: bool) -> None:
        self.sample = sample
        self.play = play
        self.early = early
        self.at_head = at_head
        self.committed = asyncio.Event()  # set by the client, when its answer has begun
        self.asked = 0
        self.held: list[str] = []  # connections that the proxy should have let go of, and has not


class Stage:
    """All parts, by name. `open` counts the connections, `busy` those of them that are no idle
    ones."""

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self.open = 0
        self.busy = 0

    async def settled(self, *, closed: bool) -> None:
        """Returns when nothing is played any more, or all connections are `closed`; or when that
        should have been so for long."""
        deadline = asyncio.get_running_loop().time() + LET_GO_S + 1
        # simpler than events
        while (self.open if closed else self.busy) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def script(self, peer: Peer) -> None:
        self.open += 1
        try:
            while await self._answer(peer) is After.KEPT:
                pass
        finally:
            self.open -= 1

    async def _answer(self, peer: Peer) -> After:
        """Play one answer. Raises IncompleteReadError when the proxy closes the connection instead
        of asking again."""
        head = (await peer.request()).decode("latin-1")
        method, path, _ = head.split(" ", 2)
        host = next(
            line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("host:")
        )
        name = path.split("/")[1]
        part = self.parts[name]
        part.asked += 1
        self.busy += 1
        try:
            return await self._play(part, peer, f"http://{host}", name, method)
        finally:
            self.busy -= 1

    async def _play(self, part: Part, peer: Peer, url: str, name: str, method: str) -> After:
        playing = Playing(peer, part.sample, url, early=part.early, committed=part.committed)
        if part.sample.follows and method == "POST" and not part.at_head:
            return playing.document(
                dumped({"id": "p1", "urls": {"stream": f"{url}/{name}/stream"}}), "application/json"
            )
        after = await part.play(playing)
        if after is After.OVER:
            await self._let_go(part, peer, name)
        return after

    async def _let_go(self, part: Part, peer: Peer, name: str) -> None:
        try:
            async with asyncio.timeout(LET_GO_S):
                await peer.left()
        except TimeoutError:
            part.held.append(name)
