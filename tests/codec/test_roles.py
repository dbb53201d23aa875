"""Words for who speaks in a turn."""

from proxy.codec.roles import known_role, unknown_role, with_known_roles
from proxy.request import OnlyRelayed

KNOWN = ("system", "user", "assistant")


def test_the_word_that_is_known_stands_for_others_of_its_meaning() -> None:
    said = ("USER", "Human", "ai", "model", "developer", "critic", "")
    found = [known_role(word, KNOWN) for word in said]
    assert ["user", "user", "assistant", "assistant", "system", "critic", ""] == found


def test_a_body_in_known_words_stays_the_very_same_object() -> None:
    body = {"messages": [{"role": "user"}, {"role": 1}, "text"], "other": [{"role": "ai"}]}
    assert body is with_known_roles(body, "messages", KNOWN)
    assert {"n": 1} == with_known_roles({"n": 1}, "messages", KNOWN)


def test_a_turn_is_changed_in_a_copy() -> None:
    first, second = {"role": "user"}, {"role": "bot", "content": "x"}
    body = {"messages": [first, second]}
    made = with_known_roles(body, "messages", KNOWN)
    assert {"messages": [first, {"role": "assistant", "content": "x"}]} == made
    assert first is made["messages"][0]
    assert "bot" == second["role"]


def test_a_role_that_means_nothing_is_named_beside_those_that_are_known() -> None:
    said = "'critic' is no role; known are system, user and assistant"
    assert OnlyRelayed("messages[2].role", said) == unknown_role("messages[2]", "critic", KNOWN)
