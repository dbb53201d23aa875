"""What vendors of flat messages, or of one prompt, are told of documents, sound and pictures."""

from proxy.codec.chat_turns import Turn, chat_turns, function, thinking
from proxy.codec.media import takes
from proxy.codec.response_format import JSONAnswer, wanted_format
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.events import Note
from proxy.request import (
    AudioPart,
    Cache,
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    Reasoning,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
)
from tests.dialects.answers import params

TEXT = DocumentPart("data:text/plain;base64,YWJj", "Notes")
PDF = DocumentPart("data:application/pdf;base64,JVBE")
PICTURE = ImagePart("data:image/png;base64,AAAA")
TALK = [
    Message("user", [TEXT, PDF, AudioPart("data:audio/wav;base64,AAAA"), TextPart("so?")]),
    Message("assistant", [ToolCallPart("c1", "look", signature="s")]),
    Message("tool", [ToolResultPart("c1", [TextPart("seen"), TEXT, PICTURE])]),
]
LOST = {"messages.document", "messages.audio", "messages.tool_call.signature"}


def test_flat_turns() -> None:
    """A document of plain text is text; a picture of a tool's result stands behind it."""
    notes: list[Note] = []
    turns = chat_turns(ChatRequest(model="m", messages=TALK), notes, images=True)
    assert Turn("user", "Notes:\nabcso?") == turns[0]
    assert ("tool", "seen\nNotes:\nabc") == (turns[2].role, turns[2].text)
    assert ("user", (PICTURE.url,)) == (turns[3].role, turns[3].images)
    assert LOST | {"tool_result.content"} == params(notes)


def test_flat_turns_without_pictures() -> None:
    """They are a loss, wherever they stand."""
    notes: list[Note] = []
    turns = chat_turns(ChatRequest(model="m", messages=TALK), notes, images=False)
    assert 3 == len(turns)
    assert LOST | {"messages.image_url"} == params(notes)


def test_one_prompt() -> None:
    """The same in one text."""
    notes: list[Note] = []
    said = one_prompt(ChatRequest(model="m", messages=TALK), notes)
    assert "User: Notes:\nabc\nso?\n\nTool: seen\nNotes:\nabc" == said
    assert {
        "messages",
        "messages.document",
        "messages.audio",
        "messages.image_url",
        "messages.tool_call",
    } == params(notes)


def test_every_setting_that_has_no_word_is_noted() -> None:
    """Cache marks too, wherever they stand."""
    request = ChatRequest(
        model="m",
        messages=[Message("user", [TextPart("a", cache=Cache())])],
        top_k=1,
        min_p=0.5,
        logprobs=True,
        verbosity="low",
        service_tier="flex",
        cache_key="k",
        safety_identifier="s",
        reasoning=Reasoning(summary="auto"),
        tools=[ToolSpec("f", strict=True)],
    )
    assert {
        *("top_k", "min_p", "logprobs", "verbosity", "service_tier", "cache_key"),
        *("safety_identifier", "reasoning", "reasoning.summary", "tools", "tools.strict", "cache"),
    } == params(cannot_say(request))
    assert "top_k" not in params(cannot_say(request, ("top_k",)))


def test_marks_of_a_tool_do_not_reach_the_vendor() -> None:
    """Only what OpenAI's form has."""
    assert {"type": "function", "function": {"name": "f", "strict": True}} == function(
        ToolSpec("f", strict=True, cache=Cache(), custom={})
    )


def test_thinking_that_is_left_to_the_model() -> None:
    """It is on, without a word about effort."""
    notes: list[Note] = []
    request = ChatRequest(model="m", messages=[], reasoning=Reasoning(adaptive=True))
    assert thinking(request, notes, budget=False) is True
    assert [] == notes


def test_what_a_target_takes_of_media() -> None:
    """By its rules."""
    assert takes({"image": ("bytes",)}, PICTURE)
    assert not takes({"image": ("url",)}, PICTURE)
    assert not takes({"image": ("bytes",)}, PDF)
    assert not takes({"image": ("bytes",)}, TextPart("a"))


def test_forms_of_the_answer() -> None:
    """Text, JSON, JSON by a schema; else a note."""
    notes: list[Note] = []
    assert wanted_format(None, notes) is wanted_format({"type": "text"}, notes) is None
    assert JSONAnswer(None) == wanted_format({"type": "json_object"}, notes)
    bare = {"type": "json_schema", "json_schema": {"schema": {"a": 1}}}
    assert JSONAnswer({"a": 1}) == wanted_format(bare, notes)
    assert [] == notes
    named = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"a": 1}}}
    assert JSONAnswer({"a": 1}) == wanted_format(named, notes)
    assert wanted_format({"type": "grammar"}, notes) is None
    assert {"response_format.name", "response_format"} == params(notes)
