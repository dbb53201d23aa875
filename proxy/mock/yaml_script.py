r"""Scripts written by hand, in YAML: a list of steps, each a map of one key (a step without an
argument may be a bare word).

    - pause: 0.2                        # seconds
    - status: 200                       # or {code: 429, headers: {retry-after: "7"}}; left out: 200
      in the dialect's content type
    - send: "data: hi\n\n"              # text, as it stands
    - send: {json: {error: busy}}       # a JSON value, compact, nothing around it
    - send: {sse: {n: 1}, event: tick}  # one SSE frame of a text or a JSON value; `event` may be
      left out
    - send: {base64: "gICA"}            # any bytes
    - cut                               # reset the connection; or: close (a clean end, too early),
      stall, end

A status comes before the first byte; without a last step the script ends as `end` does.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from proxy.framing.sse_frame import frame
from proxy.mock.script import (
    CLOSE,
    CUT,
    END,
    LAST,
    STALL,
    Manner,
    MockError,
    Pause,
    Send,
    Status,
    Step,
    nearest,
)

_MAX_PAUSE_S = 3600
_BARE: dict[str, Step] = {"cut": CUT, "close": CLOSE, "stall": STALL, "end": END}


def read_script(path: Path, data: bytes, manner: Manner) -> list[Step]:
    """The steps of a YAML script. Raises MockError, which names the file, the step and the key."""
    try:
        rows = yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MockError(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(rows, list):
        raise MockError(
            f"{path}: a script is a list of steps such as `- send: hello`, not {_kind(rows)}"
        )
    steps = []
    for number, row in enumerate(rows):
        try:
            steps.append(_step(row, manner))
        except MockError as error:
            raise MockError(f"{path}: step {number + 1}: {error}") from error
    _check_order(path, steps)
    return steps


def _check_order(path: Path, steps: list[Step]) -> None:
    """A status comes before the first byte, once; nothing comes after the end."""
    sent = False
    for number, step in enumerate(steps):
        if isinstance(step, Status) and sent:
            raise MockError(
                f"{path}: step {number + 1}: status must come once, before the first send"
            )
        sent |= isinstance(step, Status | Send)
        if isinstance(step, LAST) and number + 1 < len(steps):
            word = type(step).__name__.lower()
            raise MockError(
                f"{path}: step {number + 1}: nothing can follow {word}; move it to the end or "
                "take out what follows"
            )


def _step(row: Any, manner: Manner) -> Step:
    if isinstance(row, str):
        row = {row: None}
    if not isinstance(row, dict) or len(row) != 1:
        raise MockError(f"a step is a map of one key such as `send: hello`, not {_kind(row)}")
    ((key, value),) = row.items()
    if key in _BARE:
        if value is not None:
            raise MockError(f"{key} takes no argument; write `- {key}`")
        return _BARE[key]
    reader = _STEPS.get(key)
    if reader is None:
        known = [*_STEPS, *_BARE]
        raise MockError(
            f"there is no step {key!r}{nearest(str(key), known)}; the steps are {', '.join(known)}"
        )
    return reader(value, manner)


def _status(value: Any, manner: Manner) -> Step:
    headers: Any = {}
    if isinstance(value, dict):
        _only(value, ("code", "headers"), "status")
        headers, value = value.get("headers", {}), value.get("code", 200)
    if not isinstance(value, int) or isinstance(value, bool) or not 200 <= value <= 599:
        raise MockError(f"status must be a number from 200 to 599, not {value!r}")
    if not isinstance(headers, dict):
        raise MockError(f"status.headers must be a map of names and values, not {_kind(headers)}")
    own = {str(name).lower(): str(content) for name, content in headers.items()}
    for name, content in own.items():
        if {"\r", "\n", "\0"} & {*name, *content}:
            raise MockError(
                f"status.headers.{name.strip()}: a header holds no line end; write its value "
                "on one line"
            )
    return Status(value, {"content-type": manner.content_type, **own})


def _send(value: Any, _manner: Manner) -> Step:
    if isinstance(value, str):
        return Send(value.encode())
    if not isinstance(value, dict):
        raise MockError(
            f"send takes text or a map of one form ({', '.join(_FORMS)}), not {_kind(value)}"
        )
    _only(value, (*_FORMS, "event"), "send")
    forms = [form for form in _FORMS if form in value]
    if len(forms) != 1 or ("event" in value and forms != ["sse"]):
        raise MockError(
            f"send takes exactly one of {', '.join(_FORMS)}; `event` goes with sse alone"
        )
    return Send(_FORMS[forms[0]](value))


def _text(value: Mapping[str, Any]) -> bytes:
    if not isinstance(value["text"], str):
        raise MockError(f"send.text must be text, not {_kind(value['text'])}; put it in quotes")
    return value["text"].encode()


def _base64(value: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(str(value["base64"]), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MockError(f"send.base64 is not base64: {error}") from error


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except TypeError as error:
        raise MockError(f"send: {error}; JSON keys are text, so put them in quotes") from error


def _sse(value: Mapping[str, Any]) -> bytes:
    data, event = value["sse"], value.get("event")
    if event is not None and not isinstance(event, str):
        raise MockError(f"send.event must be text, not {_kind(event)}; put it in quotes")
    return frame(data if isinstance(data, str) else _json(data), event=event)


def _pause(value: Any, _manner: Manner) -> Step:
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not 0 <= value <= _MAX_PAUSE_S
    ):
        raise MockError(f"pause takes seconds from 0 to {_MAX_PAUSE_S}, not {value!r}")
    return Pause(value)


def _only(value: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in value:
        if key not in known:
            raise MockError(
                f"{where} has no key {key!r}{nearest(str(key), known)}; its keys are "
                f"{', '.join(known)}"
            )


def _kind(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"the number {value}"
    if isinstance(value, dict):
        return f"a map of {len(value)} keys" if len(value) > 1 else "a map"
    words: dict[type, str] = {
        type(None): "nothing",
        list: "a list",
        str: "text",
        bool: "true or false",
    }
    return words.get(type(value), f"a {type(value).__name__}")


_STEPS: dict[str, Callable[[Any, Manner], Step]] = {
    "status": _status,
    "send": _send,
    "pause": _pause,
}
_FORMS: dict[str, Callable[[Mapping[str, Any]], bytes]] = {
    "text": _text,
    "base64": _base64,
    "json": lambda value: _json(value["json"]),
    "sse": _sse,
}
