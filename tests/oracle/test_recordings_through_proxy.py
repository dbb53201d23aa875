"""Real vendors' bytes through the whole proxy, over sockets on both sides: the native client reads
what the recording holds.

The expectations are the facts that stand beside the recordings, made by a plain reader of their
JSON; the client here splits lines and parses JSON. Every dialect with an upstream half takes part;
the tables say where the facts, one pass over the payloads, and a reader that knows the vendors
differ, and why.
"""

import hashlib
import json
import re
from typing import Any

import pytest

from proxy.dialects.registry import UPSTREAMS
from tests.oracle.recorded import Player, content_type, counts, folded, native_events, pieces
from tests.raw_upstream import raw_upstream
from tests.running import Running, running
from tests.support import body_of, facts, needs_recordings, recordings_dir

DIALECTS = [name for name in UPSTREAMS if facts(name)] or ["openai_chat"]
NOT_UPSTREAMS = {"ai_sdk"}  # it has a client half alone
# What their upstreams must be configured with: AWS's sign or have a key, and the form that a model
# takes, which its name would tell.
SETTINGS: dict[str, Any] = {
    "bedrock_converse": {"api_key": "k", "options": {"region": "eu-west-1"}},
    "bedrock_invoke": {"api_key": "k", "options": {"region": "eu-west-1", "inner": "nova"}},
}
MODEL = {"replicate": "owner/m"}  # names stand in paths, in the form that the vendor wants

TEXT = {  # a refusal stands in a field of its own; it is what the model said, so it is text here
    "openai-chat/openaisdk-snapshot-173417d5.sse": "I'm sorry, I can't assist with that request.",
    "openai-chat/openaisdk-snapshot-569c877e.sse": "I'm very sorry, but I can't assist with that.",
}
# Of these the facts do not have the text: how it begins and ends.
ENDS_OF_TEXT = {
    # Cohere's whole answer is in one chunk, in a list where the pass does not look.
    "bedrock-invoke/openllmetryjs-should-set-request-and-r-with-streaming-result-3091204960.bin": (
        " The four cardinal directions are:",
        "cardinal directions? ",
    ),
    # Two runs stand spliced in the sample: the first fails, which ends an answer; the facts go on
    # to the second.
    "coze/cozepy-workflow-run.sse": ("", '怕坐不下！"}'),
}
FINISH = {
    # A blocked prompt has neither a candidate nor a finish; its block reason is why there is no
    # answer.
    "gemini/firebase-streaming-failure-prompt-blocked-safety.sse": "SAFETY",
    "vertex/firebase-streaming-failure-prompt-blocked-safety-with-message.sse": "SAFETY",
    # In the list where the text is, too.
    "bedrock-invoke/openllmetryjs-should-set-request-and-r-with-streaming-result-3091204960.bin": "COMPLETE",
    # The fact is the name of the last event; the vendor gives no reason.
    "replicate/openllmetry-replicate-llama-stream-legacy-1.sse": None,
}
# some of Gemini's answers have enums as numbers; the word is what the number stands for
NUMBERS = {1: "STOP"}
# only in `reasoning_details`
REASONING = {"openai-compat-other/pydanticai-snowflake-thinking-streaming.sse": "15 * 27 = 405"}
CALLS = {
    # The arguments are whole in the block's start, with no piece after it, and the pass joins
    # pieces.
    "anthropic/vercel-anthropic-programmatic-tool-calling-1.chunks.jsonl": [
        ("rollDie", '{"player":"player1"}')
    ],
    # The pass told calls apart by the output index, which begins anew with each of the joined
    # answers.
    "openai-responses/vercel-openai-reasoning-encrypted-content-1.chunks.jsonl": [
        ("calculator", '{"a":12,"b":7,"op":"add"}'),
        ("calculator", '{"a":19,"b":3,"op":"multiply"}'),
        ("calculator", '{"a":57,"b":10,"op":"multiply"}'),
    ],
    # The pass counts functions only; a native client gets free text in our form.
    "openai-responses/vercel-openai-custom-tool-1.chunks.jsonl": [
        ("write_sql", '{"input":"SELECT * FROM users WHERE age > 25"}')
    ],
}
# the vendor runs these itself, so they are no calls for the client, but vendor events
SERVER_TOOLS = {
    "bedrock-converse/pydanticai-bedrock-model-code-execution-tool-stream.bin": {
        "nova_code_interpreter"
    },
    "dify/difydoc-chat-agent.sse": {"dalle3"},
}
# arguments are objects on the wire, and the facts write them in their own way
OBJECTS = {"gemini", "ollama"}
# Several answers, one behind the other; a body holds one. The facts have text and calls of all,
# finish and usage of the last.
JOINED = {
    "openai-responses/vercel-openai-reasoning-encrypted-content-1.chunks.jsonl": 4,
    "openai-responses/vercel-openai-shell-tool-1.chunks.jsonl": 2,
}
CUT = {  # no finish came: the stream is cut, and says so
    "tgi/tgi-tools-choice-stream.chunks.jsonl",  # neither a finish nor a terminator was recorded
    "vertex/firebase-streaming-success-quotes-escaped.sse",  # lacks its last chunk
    "vertex/firebase-streaming-failure-invalid-json.sse",  # these two hold no answer at all
    "vertex/firebase-streaming-failure-malformed-content.sse",
}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def bodies(row: dict[str, Any]) -> list[bytes]:
    """The answers in a recording: one, but for the joined ones."""
    data = body_of(row)
    if row["file"] not in JOINED:
        return [data]
    found = [piece for piece in re.split(rb"(?=event: response\.created\n)", data) if piece]
    assert JOINED[row["file"]] == len(found)
    return found


def calls(row: dict[str, Any]) -> list[tuple[str, Any]]:
    """The calls that are the client's to run."""
    said = [
        (tool["name"], tool["arguments"] or "")
        for tool in row["tools"]
        if tool["name"] not in SERVER_TOOLS.get(row["file"], ())
    ]
    return CALLS.get(row["file"], said)


def complaint(error: Any) -> str:
    return error if isinstance(error, str) else error.get("message") or error["error_message"]


def check(row: dict[str, Any], answers: list[list[dict[str, Any]]]) -> None:
    for events in answers:
        assert 1 == sum(event["type"] in ("stream.end", "stream.error") for event in events)
    file, dialect, last = row["file"], row["dialect"], answers[-1][-1]
    parts = [folded(events) for events in answers]
    text, reasoning = ("".join(part[kind] for part in parts) for kind in ("text", "reasoning"))
    if file in ENDS_OF_TEXT:
        begins, ends = ENDS_OF_TEXT[file]
        assert text.startswith(begins)
        assert text.endswith(ends)
    else:
        assert (sha256(TEXT[file]) if file in TEXT else row["text_sha256"]) == sha256(text)
    if file in REASONING:
        assert REASONING[file] == reasoning
    else:
        assert row["reasoning_chars"] == len(reasoning)
        assert row["reasoning_sha256"] in (None, sha256(reasoning))
    expected, called = calls(row), [call for part in parts for call in part["tools"]]
    if dialect in OBJECTS:
        expected, called = (
            [(name, json.loads(arguments)) for name, arguments in each]
            for each in (expected, called)
        )
    assert expected == called
    if row["error"]:
        assert "stream.error" == last["type"]
        assert complaint(row["error"]) == last["error"]["message"]
    elif file in CUT:
        assert ("stream.error", "upstream_truncated") == (last["type"], last["error"]["kind"])
    else:
        assert "stream.end" == last["type"], last
        assert FINISH.get(file, NUMBERS.get(row["finish"], row["finish"])) == last["finish"]["raw"]
        if row["usage"]:
            assert counts(dialect, row["usage"]) == (
                last["usage"]["input_tokens"],
                last["usage"]["output_tokens"],
            )


def config(dialect: str, url: str) -> dict[str, Any]:
    """One upstream for any model."""
    return {
        "upstreams": {"far": {"dialect": dialect, "base_url": url, **SETTINGS.get(dialect, {})}},
        "models": {"*": [{"upstream": "far", "model": MODEL.get(dialect, "m")}]},
    }


async def played(
    player: Player, run: Running, row: dict[str, Any], how: str
) -> list[list[dict[str, Any]]]:
    answers = []
    for body in bodies(row):
        player.load(content_type(row), pieces(body, how))
        answers.append(await native_events(run, row["file"]))
    return answers


@needs_recordings
@pytest.mark.parametrize("how", ["whole", "bytes", "random 1", "random 2"])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_recording_gives_what_it_holds(dialect: str, how: str) -> None:
    rows = [row for row in facts(dialect) if not row.get("contested")]
    wrong: dict[str, str] = {}
    player = Player()
    async with raw_upstream(player) as url, running(config(dialect, url)) as run:
        if UPSTREAMS[dialect].follow is not None:
            player.document = json.dumps({"urls": {"stream": f"{url}/stream"}}).encode()
        for row in rows:
            try:
                check(row, await played(player, run, row, how))
            except AssertionError as error:
                wrong[row["file"]] = str(error)[:300]
    assert not wrong, (
        f"{len(wrong)} of {len(rows)}: " + json.dumps(wrong, indent=1, ensure_ascii=False)[:4000]
    )


@needs_recordings
def test_every_dialect_with_recordings_takes_part() -> None:
    folder = recordings_dir()
    assert folder is not None
    rows = map(json.loads, (folder / "facts.jsonl").read_text("utf-8").splitlines())
    assert NOT_UPSTREAMS == {row["dialect"] for row in rows} - {*DIALECTS}
