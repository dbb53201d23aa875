"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests.dialects.sample import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    PAD,
    WORDS,
    Endless,
    Sample,
    data,
)


def hunyuan_event(text: str, finish: str = "") -> bytes:
    usage = {"PromptTokens": INPUT_TOKENS, "CompletionTokens": OUTPUT_TOKENS, "TotalTokens": 18}
    choice = {"Index": 0, "Delta": {"Role": "assistant", "Content": text}, "FinishReason": finish}
    return data(
        {"Id": "a1", "Created": 1, "Choices": [choice]} | ({"Usage": usage} if finish else {})
    )


SAMPLE = Sample(
    say=lambda _, text: hunyuan_event(text),
    ending=hunyuan_event("", "stop"),
    error=data({"Id": "a1", "ErrorMsg": {"Code": 4001, "Msg": WORDS}}),
    error_body={
        "Response": {"Error": {"Code": "InternalError", "Message": WORDS}, "RequestId": "r1"}
    },
    over=False,
)


def _hunyuan(**delta: Any) -> bytes:
    return data({"Choices": [{"Index": 0, "FinishReason": "", "Delta": delta}]})


ENDLESS: dict[str, Endless] = {
    "text": lambda n: _hunyuan(Content=PAD),
    "choices": lambda n: data({"Choices": [{"Index": n, "Delta": {"Content": "a"}}]}),
    "calls": lambda n: _hunyuan(
        ToolCalls=[{"Id": f"c{n}", "Index": n, "Function": {"Name": "f", "Arguments": "{"}}]
    ),
    "calls in one place": lambda n: _hunyuan(
        ToolCalls=[{"Id": f"c{n}", "Index": 0, "Function": {"Name": "f", "Arguments": "{"}}]
    ),
    "arguments without a name": lambda n: _hunyuan(
        ToolCalls=[{"Index": 0, "Function": {"Arguments": PAD}}]
    ),
    "calls without a name": lambda n: _hunyuan(
        ToolCalls=[{"Index": n, "Function": {"Arguments": PAD}}]
    ),
    "notes": lambda n: data({"Note": f"n{n}", "Choices": []}),
    "sources": lambda n: data(
        {"SearchInfo": {"SearchResults": [{"Url": f"u{n}{PAD}", "Title": PAD}]}}
    ),
}
