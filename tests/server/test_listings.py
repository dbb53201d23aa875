"""What clients ask about models: lists, single models, what Ollama's clients want to know."""

import hashlib
from typing import Any

import pytest

from tests.running import Running, running

ANTHROPIC = {"anthropic-version": "2023-06-01"}
GOOGLE = {"x-goog-api-client": "genai"}
KNOWN = {"context_tokens": 200_000, "largest_max_tokens": 64_000}
MOCK = {"scenario": "hello", "tokens_per_s": 0}
CONFIG: dict[str, Any] = {
    "upstreams": {
        "large": {"dialect": "anthropic", "options": KNOWN, "mock": MOCK},
        "small": {"dialect": "openai_chat", "options": {"context_tokens": 8_192}, "mock": MOCK},
        "plain": {
            "dialect": "ollama",
            "options": {"media": {"audio": ["bytes"]}, "thinking": "none"},
            "mock": MOCK,
        },
    },
    "models": {
        "fast": [{"upstream": "large", "model": "a"}, {"upstream": "small", "model": "b"}],
        "org/plain": [{"upstream": "plain"}],
    },
}


async def told(run: Running, path: str, **headers: str) -> tuple[int, Any]:
    async with run.session.get(run.url + path, headers=headers) as response:
        return response.status, await response.json()


async def test_limits_are_those_that_hold_for_every_target() -> None:
    async with running(CONFIG) as run:
        _, openai = await told(run, "/v1/models/fast")
        _, anthropic = await told(run, "/v1/models/fast", **ANTHROPIC)
        _, gemini = await told(run, "/v1beta/models/fast")
        assert (8_192, 64_000) == (openai["context_window"], openai["max_completion_tokens"])
        assert (8_192, 64_000) == (anthropic["max_input_tokens"], anthropic["max_tokens"])
        assert (8_192, 64_000) == (gemini["inputTokenLimit"], gemini["outputTokenLimit"])


@pytest.mark.parametrize(
    ("path", "headers", "rows"),
    [
        ("/v1/models", {}, "data"),
        ("/v1/models", ANTHROPIC, "data"),
        ("/v1beta/models", {}, "models"),
    ],
)
async def test_a_single_model_is_the_row_of_the_list(
    path: str, headers: dict[str, str], rows: str
) -> None:
    async with running(CONFIG) as run:
        _, listed = await told(run, path, **headers)
        singles = [await told(run, f"{path}/{name}", **headers) for name in ("fast", "org/plain")]
        assert [(200, row) for row in listed[rows]] == singles


async def test_a_model_is_known_with_gemini_s_prefix_too() -> None:
    async with running(CONFIG) as run:
        status, model = await told(run, "/v1beta/models/models/fast", **GOOGLE)
        assert (200, "models/fast") == (status, model["name"])


@pytest.mark.parametrize(
    ("path", "headers"), [("/v1/models", {}), ("/v1/models", ANTHROPIC), ("/v1beta/models", {})]
)
async def test_a_model_that_is_none_is_a_404_that_names_the_nearest(
    path: str, headers: dict[str, str]
) -> None:
    async with running(CONFIG) as run:
        status, said = await told(run, f"{path}/fst", **headers)
        assert 404 == status
        assert "did you mean 'fast'" in said["error"]["message"]


async def test_behind_a_wildcard_every_name_is_a_model() -> None:
    async with running({**CONFIG, "models": {"*": [{"upstream": "small"}]}}) as run:
        status, model = await told(run, "/v1/models/any-name")
        assert (200, "any-name", 8_192) == (status, model["id"], model["context_window"])


async def test_a_key_is_told_only_of_its_own_models() -> None:
    digest = hashlib.sha256(b"secret-of-web").hexdigest()
    keys = [{"name": "web", "sha256": digest, "models": ["fast"]}]
    async with running({**CONFIG, "auth": {"keys": keys}}) as run:
        bearer = {"Authorization": "Bearer secret-of-web"}
        assert 401 == (await told(run, "/v1/models/fast"))[0]
        assert 200 == (await told(run, "/v1/models/fast", **bearer))[0]
        assert 403 == (await told(run, "/v1/models/org/plain", **bearer))[0]
        assert 401 == (await told(run, "/api/version"))[0]


async def test_ollama_clients_are_shown_what_a_model_can_do() -> None:
    async with running(CONFIG) as run:
        shown = []
        for body in ({"model": "fast"}, {"name": "org/plain"}):
            async with run.session.post(f"{run.url}/api/show", json=body) as response:
                assert 200 == response.status
                shown.append(await response.json())
        fast, plain = shown
        assert ["completion", "tools", "vision", "thinking"] == fast["capabilities"]
        assert ["completion", "tools"] == plain["capabilities"]
        family = fast["model_info"]["general.architecture"]
        assert 8_192 == fast["model_info"][f"{family}.context_length"]


@pytest.mark.parametrize(
    ("body", "status"), [({}, 400), ({"model": 1}, 400), ({"model": "nix"}, 404)]
)
async def test_a_model_that_cannot_be_shown_is_an_error_as_ollama_says_it(
    body: dict[str, Any], status: int
) -> None:
    async with (
        running(CONFIG) as run,
        run.session.post(f"{run.url}/api/show", json=body) as response,
    ):
        assert status == response.status
        assert ["error"] == list(await response.json())


async def test_ollama_clients_find_a_server() -> None:
    async with running(CONFIG) as run:
        async with run.session.head(run.url) as response:
            assert 200 == response.status
        assert (200, {"models": []}) == await told(run, "/api/ps")
        status, said = await told(run, "/api/version")
        assert (200, 3) == (status, len(said["version"].split(".")))


async def test_a_page_that_may_not_call_is_told_nothing() -> None:
    async with running({**CONFIG, "cors": {"allow_origins": ["https://mine.example"]}}) as run:
        status, _ = await told(run, "/v1/models/fast", Origin="https://other.example")
        assert 403 == status


@pytest.mark.parametrize(
    ("dialect", "model", "context", "answer"),
    [
        ("openai_chat", "gpt-4.1-mini", 1_047_576, 32_768),
        ("openai_responses", "gpt-4.1-mini", 1_047_576, 32_768),
        ("gemini", "gemini-2.5-flash", 1_048_576, 65_536),
        ("openai_chat", "some-model", None, None),
    ],
)
async def test_the_catalogue_knows_limits_and_what_it_does_not_know_is_left_out(
    dialect: str, model: str, context: int | None, answer: int | None
) -> None:
    config = {
        "upstreams": {"far": {"dialect": dialect, "mock": MOCK}},
        "models": {"m": [{"upstream": "far", "model": model}]},
    }
    async with running(config) as run:
        _, row = await told(run, "/v1/models/m")
        assert (context, answer) == (
            row.get("context_window"),
            row.get("max_completion_tokens"),
        )
