"""Every call of an answer has an id of its own."""

from proxy.codec.own_ids import OwnIds
from proxy.events import Tool


def test_an_id_that_was_given_gets_a_number() -> None:
    ids = OwnIds()
    given = [ids.alone(Tool(name, "f")).id for name in ("a", "a", "a_2", "a", "b")]
    assert ["a", "a_2", "a_2_2", "a_3", "b"] == given


def test_a_call_whose_id_is_its_own_stays_the_very_same() -> None:
    tool = Tool("a", "f")
    assert OwnIds().alone(tool) is tool


def test_of_very_many_only_the_first_are_kept() -> None:
    ids = OwnIds()
    for number in range(1000):
        ids.alone(Tool(f"c{number}", "f"))
    assert ("c0_2", "c999") == (ids.alone(Tool("c0", "f")).id, ids.alone(Tool("c999", "f")).id)
