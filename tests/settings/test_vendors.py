"""The catalogue of vendors, and upstreams that name one."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from proxy.codec.base import TargetConfig
from proxy.dialects.registry import UPSTREAMS
from proxy.request import ChatRequest, Message
from proxy.settings.describe import effective
from proxy.settings.vendors import CATALOGUE, vendors
from tests.settings.conftest import Load, Problems

ROOT = Path(__file__).parents[2]


def one(rest: str) -> str:
    return f"upstreams: {{a: {{{rest}}}}}\nmodels: {{x: [{{upstream: a}}]}}"


def test_the_file_beside_the_examples_is_the_one_that_ships() -> None:
    """config/vendors.yaml is a link, for readers."""
    assert (ROOT / "proxy" / "settings" / CATALOGUE) == (ROOT / "config" / CATALOGUE).resolve()


@pytest.mark.parametrize("name", vendors())
def test_a_row_is_whole(name: str) -> None:
    """A known dialect, one kind of address, a page to read on, and a variable wherever a key is
    needed."""
    vendor = vendors()[name]
    assert vendor.dialect in UPSTREAMS
    assert (vendor.base_url is None) != (vendor.address is None)
    assert vendor.docs.startswith("https://")
    assert vendor.key is not None or not vendor.needs_key
    url = urlsplit(vendor.base_url or vendor.address or "")
    assert url.scheme == "https" or url.hostname == "127.0.0.1"


@pytest.mark.parametrize("name", vendors())
def test_one_line_is_an_upstream(loaded: Load, name: str) -> None:
    """With the vendor's variable set, and an address where each customer has an own one; a request
    can be made for it."""
    vendor = vendors()[name]
    address = "" if vendor.base_url else ", base_url: 'https://own.example'"
    upstream = loaded(
        one(f"vendor: {name}{address}"), **({vendor.key: "k-1"} if vendor.key else {})
    ).upstreams["a"]
    assert (vendor.dialect, vendor.base_url or "https://own.example") == (
        upstream.dialect,
        upstream.base_url,
    )
    assert ("k-1" if vendor.key else None) == upstream.key()
    assert vendor.options == upstream.options
    request = ChatRequest(model="m", messages=[Message("user", "hi")])
    outgoing = UPSTREAMS[upstream.dialect].build_request(
        request, TargetConfig("a", "m1", upstream.key(), upstream.options)
    )
    assert outgoing.path.startswith("/")


def test_all_that_the_issue_names_are_there() -> None:
    """By the names that users would try."""
    openai_like = "azure deepseek doubao fireworks groq hunyuan llamacpp lmstudio minimax mistral moonshot openai openrouter perplexity"
    others = "qianfan qwen siliconflow spark together vllm xai zhipu anthropic gemini cohere ollama dashscope bedrock dify coze"
    assert set() == {*openai_like.split(), *others.split()} - vendors().keys()


def test_what_an_upstream_says_goes_before(loaded: Load) -> None:
    """Option by option; the vendor's variable is then not looked at."""
    text = one(
        "vendor: mistral, base_url: 'https://gw.example/v1', api_key: own, options: {include_usage: true, organization: o}"
    )
    upstream = loaded(text, MISTRAL_API_KEY="k-1").upstreams["a"]
    assert ("https://gw.example/v1", "own") == (upstream.base_url, upstream.key())
    assert {
        "rename": {"seed": "random_seed"},
        "omit": ["user"],
        "include_usage": True,
        "organization": "o",
    } == upstream.options


def test_another_dialect_has_none_of_the_options(loaded: Load) -> None:
    """A vendor may have several; the options are those of one."""
    text = one("vendor: mistral, dialect: anthropic, api_key: k")
    assert {} == loaded(text).upstreams["a"].options


def test_an_empty_key_is_a_word(loaded: Load) -> None:
    """`api_key: ''` says that none is to be sent."""
    assert (
        loaded(one("vendor: openai, api_key: ''"), OPENAI_API_KEY="k-1").upstreams["a"].key()
        is None
    )


def test_a_key_in_a_file_or_a_header(loaded: Load, tmp_path: Path) -> None:
    """Then the variable is not needed; headers that carry no key do not count."""
    (tmp_path / "key").write_text("k-2")
    assert (
        loaded(one("vendor: openai, api_key_file: key"), OPENAI_API_KEY="k-1").upstreams["a"].key()
        == "k-2"
    )
    assert (
        loaded(one("vendor: openai, headers: {Authorization: 'Bearer x'}"), OPENAI_API_KEY="k-1")
        .upstreams["a"]
        .key()
        is None
    )
    assert (
        loaded(one("vendor: openrouter, headers: {X-Title: mine}"), OPENROUTER_API_KEY="k-1")
        .upstreams["a"]
        .key()
        == "k-1"
    )


def test_a_mock_of_a_vendor_needs_neither_key_nor_address(loaded: Load) -> None:
    """It is played."""
    upstream = loaded(one("vendor: azure, mock: {}")).upstreams["a"]
    assert ("openai_chat", None, None) == (upstream.dialect, upstream.base_url, upstream.key())


def test_a_server_of_ones_own_needs_no_key(loaded: Load) -> None:
    """It gets one where the variable is set."""
    assert loaded(one("vendor: vllm")).upstreams["a"].key() is None
    assert loaded(one("vendor: vllm"), VLLM_API_KEY="k-1").upstreams["a"].key() == "k-1"


def test_the_environment_may_name_the_vendor(loaded: Load) -> None:
    """Like any other setting."""
    text = "models: {x: [{upstream: a}]}"
    upstream = loaded(text, MAINSTEM_UPSTREAMS__A__VENDOR="groq", GROQ_API_KEY="k-1").upstreams["a"]
    assert ("https://api.groq.com/openai/v1", "k-1") == (upstream.base_url, upstream.key())


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("vendor: opnai", "vendor 'opnai' is not a vendor; did you mean openai?"),
        (
            "vendor: openai",
            "api_key is missing: set the environment variable OPENAI_API_KEY, which is to hold it, or give api_key or api_key_file",
        ),
        (
            "vendor: azure, api_key: k",
            "base_url is missing: Azure OpenAI has an address of your own, such as https://RESOURCE.openai.azure.com/openai/v1",
        ),
        ("vendor: 7", "vendor must be text, not 7: put it in quotes"),
        ("vendor: openai, api_key: k, options: 3", "options must be a section of names and values"),
        ("vendor: openai, api_key: k, dialect: odd", "dialect 'odd' is not a dialect"),
    ],
)
def test_a_mistake_is_a_sentence(problems: Problems, rest: str, said: str) -> None:
    """And what follows from it is no news."""
    (found,) = problems(one(rest))
    assert found.startswith(f"x.yaml: upstreams.a.{said}")


def test_a_key_that_no_header_can_carry_is_not_shown(problems: Problems) -> None:
    """It comes out of the environment."""
    (said,) = problems(one("vendor: openai"), OPENAI_API_KEY="sk-\nsecret")
    assert said.startswith("x.yaml: upstreams.a.api_key has characters that no header can carry")
    assert "secret" not in said


def test_the_tree_in_effect_says_what_was_filled_in(loaded: Load) -> None:
    """But the key; and it can be read back."""
    settings = loaded(one("vendor: mistral"), MISTRAL_API_KEY="sk-secret")
    shown = effective(settings)
    assert "sk-secret" not in shown
    assert "https://api.mistral.ai/v1" in shown
    assert "random_seed" in json.dumps(loaded(shown).upstreams["a"].options)
