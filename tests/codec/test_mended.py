"""A request under its target's rules."""

from msgspec.structs import replace

from proxy.codec.mended import mended
from proxy.codec.rules import NO_RULES, Names, Rules
from proxy.request import (
    ChatRequest,
    Effort,
    ImagePart,
    Message,
    Reasoning,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
)

LONG = "mcp__" + "x" * 80
REQUEST = ChatRequest(
    model="m",
    messages=[
        Message("user", "hi"),
        Message("assistant", [ToolCallPart("functions.f:0", LONG, "{}")]),
        Message("tool", [ToolResultPart("functions.f:0", "42")]),
    ],
    tools=[ToolSpec(LONG, parameters={"anyOf": [{"type": "object"}]}), ToolSpec("g")],
    tool_choice=ToolChoice("tool", LONG),
    max_tokens=100_000,
    temperature=1.5,
    stop=["a", "b", "c"],
    user="u" * 200,
    reasoning=Reasoning("max"),
)


def params(request: ChatRequest, rules: Rules) -> list[str]:
    return [note.param for note in mended(request, rules).notes]


def test_nothing_is_changed_where_nothing_is_known() -> None:
    assert (REQUEST, (), {}) == mended(REQUEST, NO_RULES)


def test_the_form_of_the_answer_is_said_in_what_the_target_takes() -> None:
    union = {"anyOf": [{"type": "object", "properties": {"a": {"const": 1}}}]}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": union}}
    request = replace(REQUEST, response_format=form, tools=[])
    found = mended(request, Rules(schema_lacks=("root_any_of", "const")))
    assert found.request.response_format is not None
    said = found.request.response_format["json_schema"]
    plain = {"type": "object", "properties": {"a": {"enum": [1]}}}
    assert {"name": "n", "schema": plain} == said
    assert ["response_format.json_schema"] == [note.param for note in found.notes]
    assert request == mended(request, Rules(schema_lacks=("ref",))).request


def test_fewer_tokens_than_are_taken_become_the_least() -> None:
    """Clients that only ask whether somebody is there want one."""
    request = replace(REQUEST, max_tokens=1)
    found = mended(request, Rules(least_max_tokens=16))
    assert (16, ["max_tokens"]) == (found.request.max_tokens, [note.param for note in found.notes])


def test_a_tools_name_is_the_same_wherever_it_stands_and_can_be_given_back() -> None:
    found = mended(REQUEST, Rules(tool_name=Names(chars="a-zA-Z0-9_-", most=64)))
    ((short, long),) = found.tool_names.items()
    assert (LONG, True) == (long, len(short) <= 64)
    assert [short, "g"] == [tool.name for tool in found.request.tools]
    assert ToolChoice("tool", short) == found.request.tool_choice
    call = found.request.messages[1].parts[0]
    assert isinstance(call, ToolCallPart)
    assert short == call.name


def test_a_call_and_its_result_get_the_same_id_and_no_note() -> None:
    found = mended(REQUEST, Rules(call_id=Names(chars="a-zA-Z0-9", least=9, most=9)))
    ids = [
        part.id
        for message in found.request.messages
        for part in message.parts
        if isinstance(part, ToolCallPart | ToolResultPart)
    ]
    assert 1 == len(set(ids))
    assert 9 == len(ids[0])
    assert () == found.notes


def test_schemas_are_adapted_with_one_note() -> None:
    found = mended(REQUEST, Rules(schema_lacks=("root_any_of",)))
    assert {"type": "object", "properties": {}} == found.request.tools[0].parameters
    assert ["tools.parameters"] == [note.param for note in found.notes]


def test_bounds_are_kept_and_noted() -> None:
    rules = Rules(
        largest_max_tokens=8192,
        largest_temperature=1,
        stop_most=2,
        user_chars=64,
        efforts=("low", "high"),
    )
    found = mended(REQUEST, rules).request
    assert (8192, 1, ["a", "b"], "high") == (
        found.max_tokens,
        found.temperature,
        found.stop,
        found.reasoning and found.reasoning.effort,
    )
    assert len(found.user or "") <= 64
    assert ["max_tokens", "temperature", "stop", "user", "reasoning.effort"] == params(
        REQUEST, rules
    )
    assert found == mended(found, rules).request


def test_sampling_that_the_model_refuses_is_left_out_by_its_own_name() -> None:
    """Whatever the upstream's dialect calls it; of a group the first that was given is kept."""
    asked = ChatRequest(
        model="m", messages=[], temperature=0.5, top_p=0.9, top_k=3, max_tokens=5, user="u"
    )
    rules = Rules(refused=("top_k", "max_tokens"), at_most_one=(("seed", "temperature", "top_p"),))
    mend = mended(asked, rules)
    assert replace(asked, top_k=None, top_p=None) == mend.request
    assert ["top_k", "top_p"] == [note.param for note in mend.notes]


def test_a_model_that_does_not_think_is_not_asked_to() -> None:
    """That it shall not is no loss."""
    cases: tuple[tuple[Effort, list[str]], ...] = (("high", ["reasoning"]), ("none", []))
    for effort, params in cases:
        asked = ChatRequest(model="m", messages=[], reasoning=Reasoning(effort))
        mend = mended(asked, Rules(thinking="none"))
        assert mend.request.reasoning is None
        assert params == [note.param for note in mend.notes]


def test_pictures_are_said_to_be_what_they_are_in_turns_and_in_results() -> None:
    wrong, right = (ImagePart(f"data:image/{kind};base64,iVBORw0KGgo") for kind in ("gif", "png"))

    def turns(picture: ImagePart) -> list[Message]:
        result = ToolResultPart("c1", [TextPart("here"), picture])
        return [Message("user", [picture]), Message("tool", [result])]

    found = mended(ChatRequest(model="m", messages=turns(wrong)), NO_RULES)
    assert (turns(right), ()) == (found.request.messages, found.notes)
    request = ChatRequest(model="m", messages=turns(right))
    assert request == mended(request, NO_RULES).request
