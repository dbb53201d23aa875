"""Whose key an upstream gets, and where it may be: settings that do not go together are one
sentence each."""

import pytest

from tests.settings.conftest import Load, Problems

KEY = "a" * 64
HEAD = "models: {'*': [{upstream: far}]}\nupstreams: {far: {dialect: openai_chat, base_url: 'https://api.example.com/v1', "


def of(upstream: str, more: str = "") -> str:
    return f"{HEAD}{upstream}}}}}\n{more}"


def test_by_default_nothing_passes(loaded: Load) -> None:
    far = loaded(of("")).upstreams["far"]
    assert (False, (), (), False) == (
        far.pass_through,
        far.forward_headers,
        far.return_headers,
        far.private,
    )


def test_names_are_in_lower_case(loaded: Load) -> None:
    far = loaded(
        of(
            "forward_headers: [X-User-Id, traceparent, Helicone-Session-Id], return_headers: [OpenAI-Processing-MS, 'X-RateLimit-*']"
        )
    )
    assert ("x-user-id", "traceparent", "helicone-session-id") == far.upstreams[
        "far"
    ].forward_headers
    assert ("openai-processing-ms", "x-ratelimit-*") == far.upstreams["far"].return_headers


@pytest.mark.parametrize("setting", ["api_key: k-123456", "api_key_file: none.txt"])
def test_one_key_or_the_clients(problems: Problems, setting: str) -> None:
    said = problems(of(f"pass_through: true, {setting}"))
    name = setting.partition(":")[0]
    assert (
        f"x.yaml: upstreams.far.pass_through cannot go with {name}: the upstream gets either each client's own key or yours"
        in said
    )


def test_a_header_with_a_key_does_not_go_with_the_clients(problems: Problems) -> None:
    assert [
        "x.yaml: upstreams.far.pass_through cannot go with headers.Authorization: the client's key is sent there"
    ] == problems(
        of("pass_through: true, headers: {Authorization: Bearer abc, cf-aig-authorization: mine}")
    )


@pytest.mark.parametrize("yes", ["true", "'yes'", "1"])
def test_keys_for_this_proxy_are_not_given_to_a_vendor(problems: Problems, yes: str) -> None:
    (said,) = problems(of(f"pass_through: {yes}", f"auth: {{keys: [{{name: a, sha256: {KEY}}}]}}"))
    assert said.startswith(
        "x.yaml: upstreams.far.pass_through cannot go with auth: the keys that clients have for this proxy would be given"
    )


@pytest.mark.parametrize("auth", ["", "auth: none"])
def test_pass_through_goes_with_no_auth(loaded: Load, auth: str) -> None:
    assert loaded(of("pass_through: true", auth)).upstreams["far"].pass_through


def test_the_vendors_variable_is_not_read_for_clients_keys(loaded: Load) -> None:
    """Neither is its absence a mistake."""
    text = (
        "models: {'*': [{upstream: far}]}\nupstreams: {far: {vendor: openai, pass_through: true}}"
    )
    assert loaded(text).upstreams["far"].key() is None
    assert loaded(text, OPENAI_API_KEY="sk-1234567890").upstreams["far"].key() is None
    assert (
        "sk-1234567890"
        == loaded(text.replace("true", "false"), OPENAI_API_KEY="sk-1234567890")
        .upstreams["far"]
        .key()
    )


@pytest.mark.parametrize(
    "name",
    [
        *(
            "authorization",
            "Cookie",
            "Proxy-Authorization",
            "host",
            "content-type",
            "Content-Length",
            "connection",
            "Transfer-Encoding",
            "te",
        ),
        *(
            "x-api-key",
            "X-Goog-Api-Key",
            "api-key",
            "upgrade",
            "accept-encoding",
            "x-auth-token",
            "x-amz-security-token",
            "x-amz-date",
        ),
        *("x-csrf-token", "x-mock-fault", "set-cookie", "expect", "keep-alive"),
    ],
)
def test_headers_that_never_go_up(problems: Problems, name: str) -> None:
    (said,) = problems(of(f"forward_headers: [{name}]"))
    assert f"cannot have {name.lower()!r}: headers that carry keys or cookies" in said
    assert said.startswith("x.yaml: upstreams.far.forward_headers")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "set-cookie",
            "Set-Cookie2",
            "content-type",
            "content-*",
            "transfer-encoding",
            "connection",
            "access-control-allow-origin",
        ),
        *(
            "access-control-*",
            "server",
            "date",
            "cache-control",
            "x-accel-redirect",
            "x-accel-*",
            "x-mainstem-notes",
            "x-request-id",
        ),
        *("retry-after", "location", "strict-transport-security", "vary", "x-auth-token"),
    ],
)
def test_headers_that_never_come_down(problems: Problems, name: str) -> None:
    (said,) = problems(of(f"return_headers: ['{name}']"))
    assert f"cannot have {name.lower()!r}: headers that frame an answer" in said


@pytest.mark.parametrize("name", ["*", "x*", "a b", "x-\\u00e9", "", "x-*-y", "x-a\\r\\nb"])
def test_what_is_no_name(problems: Problems, name: str) -> None:
    assert (
        "which is neither a header's name nor the beginning of one"
        in problems(of(f'return_headers: ["{name}"]'))[0]
    )
    assert "which is not a header's name" in problems(of(f'forward_headers: ["{name}"]'))[0]


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[fe80::1]",
        "0.0.0.0:8080",
        "224.0.0.1",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
    ],
)
def test_addresses_that_no_upstream_has(problems: Problems, loaded: Load, host: str) -> None:
    text = of("").replace("https://api.example.com", f"http://{host}")
    (said,) = problems(text)
    assert said.startswith("x.yaml: upstreams.far.base_url has the address ")
    assert said.endswith("or set private: true on this upstream, if that is right")
    assert (
        loaded(text.replace("openai_chat,", "openai_chat, private: true,")).upstreams["far"].private
    )


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8000",
        "10.0.0.8",
        "[::1]",
        "localhost",
        "vllm:8000",
        "llm.internal",
        "8.8.8.8",
        "[fd12::1]",
    ],
)
def test_addresses_that_the_operator_wrote_are_taken(loaded: Load, host: str) -> None:
    assert loaded(of("").replace("https://api.example.com", f"http://{host}"))
