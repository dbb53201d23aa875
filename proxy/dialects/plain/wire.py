"""The words of the plain dialect that both directions know."""

import msgspec

NAME = "plain"
PATH = "/data"
# In place of an error object, which plain text has not: the text of the one frame before the last.
ERROR_PREFIX = "[error] "
DONE = "[done]"


class Body(msgspec.Struct):
    """What a client may post. `done` names another terminator; "none" leaves it out and the stream
    ends with its body.
    """

    prompt: str | None = None
    system: str | None = None
    model: str | None = None
    stream: bool | None = None
    done: str | None = None
