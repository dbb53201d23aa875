"""Logging: one line a stream, and what libraries say, in one form on standard error.

JSON, or lines for a terminal. No prompt, answer or key is ever given to these functions; should one
slip into a field whose name tells, its value is masked. In either form a line is one line: nobody
who chooses a model's name or a header writes a second one.
"""

import json
import logging
import math
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from proxy.observe.lines import fields_of, in_json, line_of, why_of
from proxy.observe.outlet import Outlet
from proxy.observe.record import StreamRecord
from proxy.observe.trace import traced
from proxy.settings.secret import MASK, holds_secret

Format = Literal["json", "console", "auto"]
Level = Literal["debug", "info", "warning", "error"]

_MAX_TEXT_CHARS = 8_192  # of one field: a traceback fits, an answer does not
_MAX_DEPTH = 4
# C0 and C1 controls, line and paragraph separators, the marks that turn text around (they make a
# line read as another one), half pairs.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_QUOTED = frozenset(' "=')  # such a value of a line for a terminal is in quotation marks
_SIMPLE = frozenset({int, bool, type(None)})
_QUIET = frozenset({"completed", "client_gone", "cancelled"})  # nobody's failure
_FIRST = ("timestamp", "level", "event")
_JSON = json.JSONEncoder(default=repr)
_outlet: Outlet | None = None
# Takes the JSON lines of streams that ended well, where those are logged. Most lines are such ones,
# and all their fields are plain, bounded and no secrets: to look at each of them as `clean` does
# costs more than all else that is logged of a stream.
_streams: structlog.WriteLogger | None = None
_processors: list[Processor] = []  # of all other lines, as `configure` made them


class _OurHandler(logging.StreamHandler[Any]):
    """Told from other handlers by its type, so that configuring twice leaves one."""


def configure(form: Format = "auto", level: Level = "info", stream: TextIO | None = None) -> None:
    """Sets up structlog and the standard library's logging alike. May be called again, for example
    when the configuration is reloaded.

    `stream` is standard error unless given; `auto` is console on a terminal and JSON elsewhere.
    """
    global _outlet, _streams, _processors  # noqa: PLW0603  standard error is one, too
    if _outlet is not None:
        _outlet.close()
    _outlet = _outlet_of(sys.stderr) if stream is None else None
    out = stream or _outlet or sys.stderr
    console = form == "console" or (form == "auto" and out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.ExceptionRenderer(traced),
        clean,
    ]
    renderer: Processor = _to_console if console else _to_json
    # it writes whole lines, and asks for nothing else
    factory = structlog.WriteLoggerFactory(cast("TextIO", out))
    at_all = not console and level in ("debug", "info")
    _streams = factory() if at_all else None
    _processors = [*shared, renderer]
    structlog.configure(
        processors=_processors,
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=factory,
        cache_logger_on_first_use=False,
    )
    handler = _OurHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [kept for kept in root.handlers if not isinstance(kept, _OurHandler)] + [
        handler
    ]
    root.setLevel(level.upper())
    logging.getLogger("asyncio").addFilter(_first_line)  # once, however often
    # Its warnings repeat what a client sent: the protocols of a WebSocket, where some have a key.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)
    logging.captureWarnings(True)


def dropped() -> int:
    """Lines that could not be written since this was asked last."""
    return 0 if _outlet is None else _outlet.count()


def _outlet_of(stream: TextIO) -> Outlet | None:
    """None for a stream that is no file, as a test's is."""
    try:
        return Outlet(stream)
    except (OSError, ValueError):
        return None


def _first_line(record: logging.LogRecord) -> bool:
    """The message of asyncio about a task that failed goes on with its representation, and that
    with what its exception says.
    """
    record.msg, record.args = record.getMessage().partition("\n")[0], ()
    return True


def stream_line(log: FilteringBoundLogger, record: StreamRecord) -> None:
    """The one line of a stream, or of another work, that has ended."""
    # without an outcome there was no stream, as with a 204
    if record.outcome is not None and record.outcome not in _QUIET:
        log.warning(record.work, **fields_of(record), **why_of(record))
    elif (straight := _straight()) is None:
        log.info(record.work, **fields_of(record))
    else:
        line = line_of(record)
        line.timestamp = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        line.level, line.event = "info", record.work
        straight.msg(in_json(line) or _JSON.encode(msgspec.to_builtins(line)))


def _straight() -> structlog.WriteLogger | None:
    """What takes lines of streams as they are; None also where somebody has set up structlog anew
    since, or catches what it is given, as `structlog.testing` does.
    """
    now = structlog.get_config()["processors"]
    return _streams if now is _processors and now[-1] is _to_json else None


def clean(_log: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """The last defence: values under names that tell of a secret are masked, everything is plain
    and of bounded length.
    """
    for name, value in line.items():
        if not name.startswith("_"):  # what structlog keeps for itself
            line[name] = MASK if holds_secret(name) else _plain(value)
    return line


def _plain(value: Any, depth: int = 0) -> Any:
    kind = type(value)
    if kind is str:
        return value if len(value) <= _MAX_TEXT_CHARS else _cut(value)
    if kind in _SIMPLE or (kind is float and math.isfinite(value)):  # JSON has no NaN
        return value
    if depth < _MAX_DEPTH:
        if isinstance(value, Mapping):
            return {
                str(name): MASK if holds_secret(str(name)) else _plain(item, depth + 1)
                for name, item in value.items()
            }
        if (
            kind is tuple
            and len(value) == 2
            and isinstance(value[0], str)
            and holds_secret(value[0])
        ):
            return [value[0], MASK]  # headers come as pairs
        if isinstance(value, list | tuple | set | frozenset):
            return [_plain(item, depth + 1) for item in value]
    return (
        "..." if isinstance(value, Mapping | list | tuple | set | frozenset) else _cut(repr(value))
    )


def _cut(text: str) -> str:
    return (
        text
        if len(text) <= _MAX_TEXT_CHARS
        else f"{text[:_MAX_TEXT_CHARS]}... ({len(text)} characters)"
    )


def _to_json(_log: WrappedLogger, _method: str, line: EventDict) -> str:
    """ASCII only, so that no reader of the log meets a control character, however it decodes the
    file.
    """
    first = {name: line.pop(name, None) for name in _FIRST}
    return _JSON.encode({**first, **line})


def _to_console(_log: WrappedLogger, _method: str, line: EventDict) -> str:
    """`time level event name=value ...`; a traceback follows, each of its lines marked as belonging
    to this one.
    """
    trace = str(line.pop("exception", "") or "").splitlines()
    head = [_escaped(str(line.pop(name, ""))) for name in _FIRST]
    pairs = [f"{_escaped(str(name))}={_value(value)}" for name, value in line.items()]
    return "\n  | ".join([" ".join([*head, *pairs]), *map(_escaped, trace)])


def _value(value: Any) -> str:
    if not isinstance(value, str):
        return _escaped(json.dumps(value, ensure_ascii=False, default=repr))
    if value and not set(value) & _QUOTED:
        return _escaped(value)
    return '"' + _escaped(value.replace("\\", r"\\")).replace('"', r"\"") + '"'


def _escaped(text: str) -> str:
    return _UNPRINTABLE.sub(
        lambda match: match[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text
    )
