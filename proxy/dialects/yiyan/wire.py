"""What Yiyan's wire holds, as far as it is used."""

from typing import Any

import msgspec

NAME = "yiyan"
PATH = "/eb/chat/conversation/v2"


class Thought(msgspec.Struct):
    """`event: thought`, which has no envelope."""

    thoughts: str | None = None
    is_end: Any = 0


class MessageData(msgspec.Struct):
    """`content` is a delta. The last has `tokens_all`, the whole text, and `is_end`, the number
    1.
    """

    content: str | None = None
    tokens_all: str | None = None
    is_end: Any = 0


class MessagePacket(msgspec.Struct):
    """`event: message`. `data` may be null in an error."""

    code: int = 0
    msg: str | None = None
    data: MessageData | None = None


class Session(msgspec.Struct):
    """The conversation's id."""

    id: str | None = msgspec.field(name="sessionId", default=None)


class SessionResult(msgspec.Struct):
    """Its envelope."""

    data: Session | None = None


class BotChat(msgspec.Struct):
    """The answer's id: a next turn names it as its parent."""

    id: str | int | None = None


class Chat(msgspec.Struct):
    """Its envelope."""

    bot: BotChat | None = msgspec.field(name="botChat", default=None)


class ChatResult(msgspec.Struct):
    """The envelope's envelope."""

    data: Chat | None = None


class MajorData(msgspec.Struct):
    """The ids that a next turn wants."""

    session: SessionResult | None = msgspec.field(
        name="createSessionResponseVoCommonResult", default=None
    )
    chat: ChatResult | None = msgspec.field(name="createChatResponseVoCommonResult", default=None)

    @property
    def ids(self) -> dict[str, Any]:
        """In the words in which a request says them."""
        session = (
            self.session.data.id
            if self.session is not None and self.session.data is not None
            else None
        )
        bot = self.chat.data.bot if self.chat is not None and self.chat.data is not None else None
        return {"sessionId": session, "parentChatId": bot.id if bot is not None else None}


class Major(msgspec.Struct):
    """`event: major`, the first."""

    code: int = 0
    msg: str | None = None
    data: MajorData | None = None
