"""Streams that clients may leave and come back to."""

from typing import Literal

from pydantic import Field

from proxy.settings.tree import Tree
from proxy.settings.values import Count, Seconds


class Resume(Tree):
    """How streams are kept for clients that come back."""

    store: Literal["memory"] = Field("memory", description="Where they are kept: in this process.")
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
        description="What all may take. Beyond it those that have ended go, the oldest first.",
    )
