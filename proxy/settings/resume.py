"""Streams that clients may leave and come back to."""

from pydantic import Field

from proxy.settings.tree import Tree
from proxy.settings.values import Count, Seconds, Store


class Resume(Tree):
    """How streams are kept for clients that come back."""

    store: Store = Field(
        "memory",
        description=(
            "Where they are kept: memory, in the process that generates them, or also in a Redis "
            "or Valkey, so that any worker and replica serves any reader, such as "
            '"${REDIS_URL}". Needs mainstem[redis].'
        ),
    )
    lease_s: Seconds = Field(
        15,
        description=(
            "With a Redis: within this time after a process has died the readers of its streams "
            "are told."
        ),
    )
    keep_s: Seconds = Field(300, description="How long a stream can be read after its end.")
    max_bytes_per_stream: Count = Field(
        4_194_304,
        description=(
            "What one stream may take. Of a longer one the beginning is kept as a summary: each "
            "block in one piece."
        ),
    )
    max_bytes: Count = Field(
        268_435_456,
        description=(
            "What all that a process generates may take; beyond it those that have ended go, the "
            "oldest first. With a Redis: as much again for those that its clients read elsewhere."
        ),
    )
