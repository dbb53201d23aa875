"""Streams of upstreams that are kept as files."""

from pydantic import Field

from proxy.settings.tree import Tree
from proxy.settings.values import Count


class Record(Tree):
    """Where streams are recorded as the upstreams send them (docs/RECORDINGS.md). Left out: nothing
    is. A recording holds the prompt and the answer; keys and cookies are not in it.
    """

    folder: str = Field(
        description=(
            "The folder of the files; it is made where it is missing. A relative path starts at "
            "this file's folder."
        ),
    )
    redact: tuple[str, ...] = Field(
        (),
        description=(
            "Names of JSON fields whose values are hidden, in requests and answers, at any depth: "
            "user, email."
        ),
    )
    max_file_bytes: Count = Field(
        4_194_304, description="What of one answer is kept; the file says where it was cut."
    )
    max_files: Count = Field(
        1000, description="How many recordings the folder may hold; then no more are written."
    )
