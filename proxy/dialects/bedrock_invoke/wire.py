"""One chunk of a model that is no chat model, in any of the forms that models of this service give;
a model uses the fields of its own.

Sources: "Inference request parameters and response fields for foundation models" of the Bedrock
user guide (Amazon Titan Text, Meta Llama, Mistral text completion, Cohere Command and Command R).
"""

from typing import Any

import msgspec
from msgspec import Raw

from proxy.codec.sse_json import ABSENT
from proxy.events import FinishReason

NAME = "bedrock_invoke"
# What the service itself adds to a document of any model's.
SERVICE = "amazon-bedrock-"
METRICS = "amazon-bedrock-invocationMetrics"
GUARDRAIL = "amazon-bedrock-guardrailAction"
TRACE = "amazon-bedrock-trace"


class Metrics(msgspec.Struct, rename="camel"):
    """What the service itself measured; stands in the last chunk of every model."""

    input_token_count: int | float | None = None
    output_token_count: int | float | None = None


class Output(msgspec.Struct):
    """Mistral's piece, and Cohere's whole answer, which calls its reason otherwise."""

    text: str | None = None
    stop_reason: str | None = None
    finish_reason: str | None = None


class Call(msgspec.Struct):
    """A tool call of Cohere's: whole, without an id."""

    name: str = ""
    parameters: dict[str, Any] = {}


class Cited(msgspec.Struct):
    """A citation of Cohere's: `start` and `end` are places in the text."""

    start: int | None = None
    end: int | None = None
    text: str | None = None


class Chunk(msgspec.Struct):
    """`generation` is Llama's text, `outputText` Titan's, `outputs` Mistral's, `completion` that of
    Claude 2, `text` and `generations` are Cohere's.
    """

    text: str | None = None
    generation: str | None = None
    completion: str | None = None
    output_text: str | None = msgspec.field(default=None, name="outputText")
    outputs: list[Output] | None = None
    generations: list[Output] | None = None
    finish_reason: str | None = None
    stop_reason: str | None = None
    completion_reason: str | None = msgspec.field(default=None, name="completionReason")
    prompt_token_count: int | None = None
    generation_token_count: int | None = None
    input_text_token_count: int | None = msgspec.field(default=None, name="inputTextTokenCount")
    total_output_text_token_count: int | None = msgspec.field(
        default=None, name="totalOutputTextTokenCount"
    )
    metrics: Metrics | None = msgspec.field(default=None, name=METRICS)
    guardrail: str | None = msgspec.field(default=None, name=GUARDRAIL)
    tool_calls: list[Call] | None = None
    citations: list[Cited] | None = None
    search_queries: Raw = ABSENT
    search_results: Raw = ABSENT
    documents: Raw = ABSENT
    response: dict[str, Any] | None = None


# Lower case.
FINISHES: dict[str, FinishReason] = {
    "stop": "stop",
    "finish": "stop",
    "stop_sequence": "stop",
    "finished": "stop",
    "complete": "stop",
    "stop_criteria_met": "stop",
    "length": "length",
    "max_tokens": "length",
    "error_limit": "length",
    "content_filtered": "content_filter",
    "intervened": "content_filter",  # a guardrail: see `completions`
    "error_toxic": "content_filter",
}
BROKEN = frozenset({"error"})
