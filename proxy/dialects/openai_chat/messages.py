"""Answers whose chunks hold a `message` where others hold a `delta`, as some gateways stream."""

from functools import partial

from proxy.codec.snapshots import Snapshots
from proxy.dialects.openai_chat.wire import CallPiece, Delta


class Messages:
    """The messages of the choices of one answer. Each holds a piece of the answer, or all of it so
    far; the second one tells which.
    """

    def __init__(self, max_held_chars: int) -> None:
        self._texts = Snapshots(max_held_chars, whole=False)
        self._choices: set[int] = set()

    def __contains__(self, choice: int) -> bool:
        """Whether this choice came in messages so far."""
        return choice in self._choices

    def delta(self, choice: int, message: Delta, *, last: bool) -> Delta:
        """What a message adds to its choice. `last`: none follows. Raises FramingError where whole
        messages take back what they said.
        """
        self._choices.add(choice)
        new = partial(self._texts.new, last=last)
        if isinstance(message.content, str):
            message.content = new((choice, "text"), message.content)
        if isinstance(message.reasoning_content, str):
            message.reasoning_content = new((choice, "reasoning"), message.reasoning_content)
        calls = message.tool_calls
        for position, piece in enumerate(calls if isinstance(calls, list) else ()):
            said = piece if piece.function is None else piece.function
            if isinstance(said.arguments, str):
                said.arguments = new((choice, _key(position, piece)), said.arguments)
        return message


def _key(position: int, piece: CallPiece) -> int:
    return position if piece.index is None else piece.index
