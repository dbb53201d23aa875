"""A traceback says where and of what kind, and nothing that was being handled."""

import asyncio
import io
import logging

import pytest
import structlog

from proxy.observe import logs
from proxy.observe.trace import traced

PROMPT = "MARK-prompt"


def trace_of(error: BaseException) -> str:
    with pytest.raises(type(error)) as caught:
        raise error
    return traced((caught.type, caught.value, caught.tb))


class OwnError(TypeError):
    """A library's own."""


@pytest.mark.parametrize(
    "kind", [ValueError, KeyError, RuntimeError, AssertionError, Exception, OwnError, LookupError]
)
def test_what_an_exception_says_is_left_out(kind: type[Exception]) -> None:
    text = trace_of(kind(PROMPT))
    assert PROMPT not in text
    assert kind.__qualname__ == text.splitlines()[-1].rpartition(".")[2]
    assert "trace_of" in text
    assert "raise error" in text


def test_messages_of_types_and_attributes_are_kept_within_bounds() -> None:
    """They are half of what a traceback is good for."""
    assert trace_of(AttributeError("'int' object has no attribute 'x'")).endswith(
        "AttributeError: 'int' object has no attribute 'x'"
    )
    assert len(trace_of(TypeError("x" * 100_000))) < 1000


def test_causes_contexts_and_groups_are_told_without_their_messages() -> None:
    with pytest.raises(KeyError) as cause:
        raise KeyError(PROMPT)
    with pytest.raises(ValueError, match=PROMPT) as caught:
        raise ValueError(PROMPT) from cause.value
    text = trace_of(ExceptionGroup(PROMPT, [caught.value, TypeError("plain")]))
    assert PROMPT not in text
    assert "direct cause" in text
    assert ["KeyError", "ValueError", "TypeError: plain"] == [
        line for line in text.splitlines() if line.startswith(("Key", "Value", "Type"))
    ]


def test_a_ring_of_causes_and_endless_recursion_end() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert trace_of(first).count("ValueError") == 2

    def deeper() -> None:
        deeper()

    with pytest.raises(RecursionError) as endless:
        deeper()
    assert traced((endless.type, endless.value, endless.tb)).count("deeper()") <= 40


@pytest.mark.parametrize("form", ["json", "console"])
async def test_a_task_that_nobody_waited_for_says_nothing_of_its_exception(
    form: logs.Format,
) -> None:
    """Neither in the traceback nor in asyncio's own words about the task."""
    kept, out = logging.getLogger().handlers[:], io.StringIO()
    logs.configure(form, "info", out)
    try:

        async def fails() -> None:
            raise ValueError(PROMPT)

        task = asyncio.create_task(fails(), name="t")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_exception_handler(
            {
                "message": "Task exception was never retrieved",
                "exception": task.exception(),
                "future": task,
            }
        )
    finally:
        logging.getLogger().handlers = kept
        structlog.reset_defaults()
    assert "never retrieved" in out.getvalue()
    assert "ValueError" in out.getvalue()
    assert PROMPT not in out.getvalue()
