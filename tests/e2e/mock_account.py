"""What the embedded mock was asked, as `GET /mock/requests` tells it."""

import json
import time
from typing import Any
from urllib.request import Request, urlopen


def asked_with(proxy: str, prompt: str, key: str | None = None) -> list[dict[str, Any]]:
    """The generations that the vendor was asked for with this prompt, newest first. `key` where the
    proxy wants one."""
    with urlopen(
        Request(f"{proxy}/mock/requests", headers={"x-api-key": key} if key else {})
    ) as answer:
        return [
            row
            for row in json.load(answer)
            if prompt in json.dumps(row["body"], ensure_ascii=False)
        ]


def wait_until_ended(proxy: str, prompt: str) -> str:
    """How the one generation with this prompt ended. Raises AssertionError when it goes on."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        rows = asked_with(proxy, prompt)
        assert len(rows) == 1
        if rows[0]["ended"] is not None:
            return str(rows[0]["ended"])
        time.sleep(0.02)
    raise AssertionError("the generation has not ended")
