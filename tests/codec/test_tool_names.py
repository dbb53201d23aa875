"""The client's names of tools come back in the answer."""

from proxy.codec.base import Decoder
from proxy.codec.tool_names import RestoredTools
from proxy.events import BlockStart, Event, TextDelta, Tool, Usage


class Fixed(Decoder):
    """Gives these events for any bytes."""

    usage = Usage(1)

    def feed(self, data: bytes) -> list[Event]:
        return [
            BlockStart(0, "tool_call", Tool("1", "short")),
            BlockStart(1, "tool_call", Tool("2", "g")),
            TextDelta(2, "short"),
        ]

    def close(self) -> list[Event]:
        self.done = True
        return self.feed(b"")[:1]


def test_only_a_renamed_tools_name_is_changed() -> None:
    decoder = RestoredTools(Fixed(), {"short": "the client's"})
    assert [
        BlockStart(0, "tool_call", Tool("1", "the client's")),
        BlockStart(1, "tool_call", Tool("2", "g")),
        TextDelta(2, "short"),
    ] == decoder.feed(b"x")
    assert not decoder.done


def test_the_end_and_the_usage_are_the_inner_decoders() -> None:
    decoder = RestoredTools(Fixed(), {"short": "long"})
    assert [BlockStart(0, "tool_call", Tool("1", "long"))] == decoder.close()
    assert (True, Usage(1)) == (decoder.done, decoder.usage)


def test_a_tool_that_was_sent_as_a_function_takes_free_text_again() -> None:
    """It is known by the client's name, whatever name it went up with."""
    decoder = RestoredTools(Fixed(), {"short": "patch"}, frozenset({"patch"}))
    assert [
        BlockStart(0, "tool_call", Tool("1", "patch", custom=True)),
        BlockStart(1, "tool_call", Tool("2", "g")),
    ] == decoder.feed(b"")[:2]
