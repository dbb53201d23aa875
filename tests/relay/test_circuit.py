"""When an upstream is not asked, and how many retries it may be sent."""

import pytest

from proxy.errors import failure, status_failure
from proxy.relay.circuit import Budget, Circuit, unwell
from proxy.settings.sections import Breaker


def circuit(told: list[bool], failures: int = 3, open_s: float = 10) -> Circuit:
    return Circuit(Breaker(failures=failures, open_s=open_s), told.append)


def fail(breaker: Circuit, now: float) -> None:
    breaker.sent()
    breaker.failed(now)


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    told: list[bool] = []
    breaker = circuit(told)
    fail(breaker, 1)
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 3)
    fail(breaker, 4)
    assert (None, []) == (breaker.wait_s(4), told)
    fail(breaker, 5)
    assert (10, [True]) == (breaker.wait_s(5), told)


def test_after_a_while_one_request_tries_and_the_others_wait_for_it() -> None:
    told: list[bool] = []
    breaker = circuit(told, failures=1)
    fail(breaker, 0)
    assert 4 == breaker.wait_s(6)
    assert breaker.wait_s(10) is None
    breaker.sent()
    assert 1 == breaker.wait_s(11)
    breaker.succeeded()
    assert (None, [True, False]) == (breaker.wait_s(11), told)


def test_a_trial_that_fails_opens_it_for_as_long_again() -> None:
    told: list[bool] = []
    breaker = circuit(told, failures=2)
    fail(breaker, 0)
    fail(breaker, 0)
    fail(breaker, 10)
    assert (10, [True]) == (breaker.wait_s(10), told)


def test_a_trial_that_nobody_waited_for_leaves_the_chance_to_the_next_one() -> None:
    breaker = circuit([], failures=1)
    fail(breaker, 0)
    breaker.sent()
    assert breaker.wait_s(10) is not None
    breaker.left()
    assert breaker.wait_s(10) is None


def test_without_failures_to_count_it_never_opens() -> None:
    breaker = circuit([], failures=0)
    for now in range(100):
        fail(breaker, now)
    assert breaker.wait_s(100) is None


@pytest.mark.parametrize(
    ("why", "speaks_against_it"),
    [
        (failure("connect_failed", "m"), True),
        (failure("upstream_truncated", "m"), True),
        (failure("first_event_timeout", "m"), True),
        (status_failure(500, "m"), True),
        (status_failure(529, "m"), True),
        (status_failure(401, "m"), False),
        (status_failure(429, "m"), False),
        (status_failure(400, "m"), False),
        (failure("client_gone", "m"), False),
        (failure("internal", "m"), False),
    ],
)
def test_a_failure_speaks_against_an_upstream_unless_it_is_the_request_s_or_the_key_s(
    why, speaks_against_it: bool
) -> None:  # type: ignore[no-untyped-def]
    assert speaks_against_it == unwell(why)


def test_retries_are_a_share_of_the_requests() -> None:
    """A quiet proxy may send three at once; a busy one a fifth more, and no more than ten at
    once."""
    budget = Budget(0.2)
    assert [True, True, True, False] == [budget.take() for _ in range(4)]
    sent = 0
    for _ in range(1000):
        budget.asked()
        sent += budget.take()
    assert 200 == sent
    for _ in range(1000):
        budget.asked()
    assert 10 == sum(budget.take() for _ in range(50))


def test_a_share_of_nothing_is_no_retry() -> None:
    budget = Budget(0)
    budget.asked()
    assert not budget.take()
