"""A reader of event streams, written from the HTML standard, clause 9.2.6, for tests. Nothing of
the project's code takes part. tests/oracle holds it against two libraries that read the same."""

import re


def read_sse(data: bytes) -> list[tuple[str | None, str, str | None]]:
    """(event, data, id) of each event; an event without a name, a stream without an id have None.
    What the stream leaves unfinished is no event."""
    lines = re.split("\r\n|\r|\n", data.decode().removeprefix("\ufeff"))
    events: list[tuple[str | None, str, str | None]] = []
    name, texts, last_id = None, list[str](), None
    for line in lines[:-1]:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if texts:
                events.append((name, "\n".join(texts), last_id))
            name, texts = None, []
        elif field == "event":
            name = value or None
        elif field == "data":
            texts.append(value)
        elif field == "id" and "\0" not in value:
            last_id = value
    return events
