"""Who hears an upstream's answer beside whoever reads it: what records it."""

from typing import Literal, Protocol

# complete: the body ended, or its dialect's terminator came · broken: it broke off · left: nobody
# wanted more of it
Over = Literal["complete", "broken", "left"]


class Listener(Protocol):
    """Hears an answer's bytes beside whoever reads them. Neither may raise."""

    def chunk(self, data: bytes) -> None:
        """What one read gave."""
        ...

    def over(self, how: Over) -> None:
        """Nothing more is read. Called once."""
        ...
