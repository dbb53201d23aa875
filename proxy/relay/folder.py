"""The reader of a client that asked for one document."""

from typing import get_args

from proxy.codec.base import Encoder
from proxy.codec.fold import WholeAnswer
from proxy.events import Event


class Folder(Encoder):
    """Takes events instead of sending them."""

    content_type = ""
    heartbeat = b""
    gathers = frozenset(get_args(Event))

    def __init__(self) -> None:
        self.answer = WholeAnswer()

    def encode(self, event: Event) -> bytes:
        self.answer.add(event)
        return b""
