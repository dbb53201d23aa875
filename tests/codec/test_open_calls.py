"""Calls that wait for their results, found by id, by name or in their order."""

from proxy.codec.open_calls import OpenCalls


def waiting() -> OpenCalls:
    calls = OpenCalls()
    for call_id, name in (("a", "f"), ("b", "g"), ("c", "f")):
        calls.add(call_id, name)
    return calls


def test_a_call_is_taken_once_whichever_way_it_is_found() -> None:
    calls = waiting()
    assert ("b", "a", "c", None) == (
        calls.take_id("b"),
        calls.take_name("f"),
        calls.take(),
        calls.take(),
    )
    assert (None, None) == (calls.take_id("b"), calls.take_name("f"))


def test_what_nobody_called_is_not_found() -> None:
    assert (None, None) == (waiting().take_id("z"), waiting().take_name("z"))


def test_a_call_that_came_after_a_search_is_found() -> None:
    calls = OpenCalls()
    assert calls.take() is None
    calls.add("a", "f")
    assert calls.take_name("f") == "a"
