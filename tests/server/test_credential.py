"""Where a client's key is looked for, and what is not taken for one."""

from hypothesis import assume, given
from hypothesis import strategies as st

from proxy.server.access.keys import credential

TEXT = st.text(max_size=20)
PLACES = ("x-api-key", "x-goog-api-key")
HEADERS = st.dictionaries(st.sampled_from(["authorization", *PLACES, "cookie", "x-other"]), TEXT)
QUERY = st.dictionaries(st.sampled_from(["key", "api_key", "token", "prompt"]), TEXT)


@given(HEADERS, QUERY)
def test_what_is_found_was_sent_in_one_of_the_four_places(
    headers: dict[str, str], query: dict[str, str]
) -> None:
    found = credential(headers, query)
    sent = [
        headers.get("authorization", "").partition(" ")[2].strip(),
        *(headers.get(place) for place in PLACES),
        query.get("key"),
    ]
    assert found is None or (found != "" and found in sent)


@given(HEADERS, QUERY)
def test_nothing_is_found_only_where_nothing_was_sent(
    headers: dict[str, str], query: dict[str, str]
) -> None:
    bearer = (
        headers.get("authorization", "").lower().startswith("bearer ")
        and headers["authorization"][7:].strip()
    )
    sent = any([bearer, *(headers.get(place) for place in PLACES), query.get("key")])
    assert sent is (credential(headers, query) is not None)


@given(TEXT, HEADERS, QUERY, st.sampled_from(["Bearer", "bearer", "BEARER"]), st.integers(1, 3))
def test_a_bearer_goes_before_all_others(
    secret: str, headers: dict[str, str], query: dict[str, str], scheme: str, spaces: int
) -> None:
    assume(secret.strip())
    assert secret.strip() == credential(
        {**headers, "authorization": f"{scheme}{' ' * spaces}{secret}"}, query
    )


@given(TEXT, st.sampled_from(["Basic", "Digest", "Token", "Bearers", ""]))
def test_another_scheme_is_no_key(secret: str, scheme: str) -> None:
    assert credential({"authorization": f"{scheme} {secret}"}, {}) is None


@given(TEXT.filter(bool), TEXT, TEXT)
def test_a_header_goes_before_the_query(secret: str, other: str, query: str) -> None:
    assert secret == credential({"x-api-key": secret, "x-goog-api-key": other}, {"key": query})
    assert secret == credential({"x-goog-api-key": secret}, {"key": query})


@given(TEXT.filter(bool))
def test_an_empty_header_hides_nothing(secret: str) -> None:
    """A proxy in front may send `Authorization: Bearer ` with nothing after it."""
    assert secret == credential({"authorization": "Bearer  ", "x-api-key": ""}, {"key": secret})
