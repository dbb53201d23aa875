"""Tool calls of vendors that want, or give, what others have not: arguments as an object, and no
id.
"""

import hashlib
import re
from typing import Any

import msgspec


def arguments_object(text: str) -> dict[str, Any] | None:
    """Arguments as an object; "" stands for {}. None for text that is no JSON object, for example
    cut by a limit.
    """
    try:
        value = msgspec.json.decode(text or "{}")
    except (ValueError, RecursionError):  # not JSON, no UTF-8, or nested too deep
        return None
    return value if isinstance(value, dict) else None


def readable(text: str) -> str:
    """The arguments of an earlier call, for a vendor that reads them: what is no JSON object, as a
    model may write it, stands in one as text.
    """
    if not text:
        return "{}"
    if arguments_object(text) is not None:
        return text
    return msgspec.json.encode({"arguments": text}).decode()


_MADE = re.compile(r"call_[0-9a-f]{24}")


def is_made(call_id: object) -> bool:
    """Whether `made_id` made this id: the vendor has not given it, and need not see it."""
    return isinstance(call_id, str) and _MADE.fullmatch(call_id) is not None


def made_id(answer: str, number: int) -> str:
    """An id for a vendor's call that has none: the same for every run over the same bytes, and
    another one in another answer.

    `answer` is anything that is the vendor's for this answer alone; `number` counts its calls.
    """
    return (
        "call_"
        + hashlib.blake2s(
            f"{answer}/{number}".encode("utf-8", "surrogatepass"), digest_size=12
        ).hexdigest()
    )
