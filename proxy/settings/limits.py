"""The section `limits` of the configuration; the others that stand once are in `sections`."""

from pydantic import Field, model_validator

from proxy.settings.tree import Tree
from proxy.settings.values import Count, HeadBytes, Store


class Limits(Tree):
    """Bounds on what one peer may make the proxy hold."""

    max_connections: Count = Field(
        20_000,
        description=(
            "Clients connected to one process at once, idle ones too; never more than half of the "
            "files that it may open."
        ),
    )
    max_head_bytes: HeadBytes = Field(
        65_536,
        description=(
            "Largest request line and headers together. An EventSource has its prompt there."
        ),
    )
    max_body_bytes: Count = Field(4_194_304, description="Largest request body.")
    max_inflight_body_bytes: Count = Field(
        268_435_456,
        description=(
            "Bytes of all request bodies that one process may hold at once, each from its arrival "
            "until its answer begins; beyond it: 503."
        ),
    )
    max_pass_bytes: Count = Field(
        536_870_912,
        description=(
            "Largest body, of a request and of an answer, that pass_paths of an upstream let "
            "through; it is never held."
        ),
    )
    max_event_bytes: Count = Field(1_048_576, description="Largest single event from an upstream.")
    max_streams: Count = Field(10_000, description="Streams open at once in one process.")
    max_error_bytes: Count = Field(
        65_536, description="How much of an upstream's error body is read."
    )
    max_answer_bytes: Count = Field(
        67_108_864,
        description=(
            "How much of an upstream's answer, as sent, may be kept: all for a client that asked "
            "for one document or whose dialect "
            "says text again (openai_responses, yiyan, dify, chatglm), tool calls where they go "
            "out whole."
        ),
    )
    store: Store = Field(
        "memory",
        description=(
            "Where requests and tokens a minute are counted: memory, each process for itself, or "
            "a Redis for all workers and "
            'replicas, such as "${REDIS_URL}". Needs mainstem[redis].'
        ),
    )
    write_buffer_bytes: Count = Field(
        65_536,
        description="Unsent bytes of one client beyond which its upstream is no longer read.",
    )

    @model_validator(mode="after")
    def _one_body_fits(self) -> "Limits":
        if self.max_inflight_body_bytes < self.max_body_bytes:
            raise ValueError(
                "has max_inflight_body_bytes below max_body_bytes: a body of that size could never "
                "be taken"
            )
        return self
