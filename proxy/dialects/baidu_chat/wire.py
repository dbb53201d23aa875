"""What Baidu's wire holds, as far as it is used. Flags come as 0/1, true/false or not at all, so
they have no type here.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET

NAME = "baidu_chat"
PATH = "/aichat/api/conversation"
Generation = Literal["2023", "2026"]


class MetaData(msgspec.Struct):
    """`state`: waiting-resp, generating-resp, generate-complete. `endTurn` is the end of the
    answer.
    """

    state: str | None = None
    end_turn: Any = msgspec.field(name="endTurn", default=False)


class Reference(msgspec.Struct):
    """A source of the answer: `text` is its title."""

    url: str | None = None
    text: str | None = None
    abstract: str | None = None


class Component(msgspec.Struct):
    """`generator.data`, for the components that are read."""

    value: str | None = None
    reasoning_pieces: list[str] | None = msgspec.field(name="reasoningContentArr", default=None)
    reasoning: str | None = msgspec.field(name="reasoningContent", default=None)
    references: list[Reference] | None = msgspec.field(name="referenceList", default=None)


class Generator(msgspec.Struct):
    """A piece of the answer. 2023: `text`. 2026: `component` says what `data` is."""

    text: str | None = None
    type: str | None = None
    component: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")
    references: list[Reference] | None = msgspec.field(name="referenceList", default=None)
    anti_flag: Any = msgspec.field(name="antiFlag", default=0)
    is_safe: Any = msgspec.field(name="isSafe", default=UNSET)
    is_finished: Any = msgspec.field(name="isFinished", default=False)

    @property
    def withdrawn(self) -> bool:
        """Moderation: the page takes back what it has shown."""
        return self.anti_flag not in (0, "0", "", None) or self.is_safe not in (UNSET, None, 1, "1")


class Hint(msgspec.Struct):
    """Words for people about an error."""

    type: str | None = None
    text: str | None = None


class Hints(msgspec.Struct):
    """Where an error's words are."""

    parts: list[Hint] | None = None


class Content(msgspec.Struct):
    """A packet without it is about the state alone."""

    generator: Generator | None = None
    hints: Hints | None = None


class Message(msgspec.Struct):
    """`data.message`."""

    meta: MetaData | None = msgspec.field(name="metaData", default=None)
    content: Content | None = None


class Data(msgspec.Struct):
    """`data`."""

    message: Message | None = None


class Packet(msgspec.Struct):
    """The JSON of an event. `compareIdx` tells two parallel answers apart; `chatHitKunlun`, in
    basedata, is risk control's verdict.
    """

    status: int = 0
    qid: str | None = None
    session_id: str | None = msgspec.field(name="sessionId", default=None)
    data: Data | None = None
    compare: Any = msgspec.field(name="compareIdx", default=None)
    kunlun: str | None = msgspec.field(name="chatHitKunlun", default=None)

    @property
    def choice(self) -> int:
        """Which of the parallel answers this is a part of."""
        said = str(self.compare)
        return int(said) if said.isascii() and said.isdigit() and len(said) < 3 else 0
