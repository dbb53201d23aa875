"""The section of traces."""

from typing import Literal

from pydantic import Field

from proxy.settings.tree import Tree
from proxy.settings.values import BaseUrl, Headers, Share


class Tracing(Tree):
    """Where a span of each stream is sent, over OTLP/HTTP. Needs mainstem[otel]."""

    endpoint: BaseUrl = Field(
        description=(
            "Address of a collector's traces, such as http://127.0.0.1:4318/v1/traces. A change of "
            "this section takes a new process."
        )
    )
    headers: Headers = Field({}, description="Headers that it wants, for example a key.")
    sample: Share = Field(
        1,
        description="Share of the streams that are traced.",
    )
    sampled_by: Literal["proxy", "sender"] = Field(
        "proxy",
        description=(
            "Who decides which these are: this proxy, by chance, or, where a request brings a "
            "traceparent, its sender. Only for senders that you trust: one can have each of its "
            "streams traced, at your cost. In both cases the span is within the sender's trace."
        ),
    )
