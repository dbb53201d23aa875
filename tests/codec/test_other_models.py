"""Which fields of a request name other models than its own, and which only look as if they did."""

from typing import Any

import pytest

from proxy.codec.other_models import other_models
from proxy.request import ChatRequest, Message, Original


def named(body: dict[str, Any], vendor: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    """What is named, with the field's path."""
    request = ChatRequest(
        model="own",
        messages=[Message("user", "x")],
        original=Original("openai_chat", {"model": "own", **body}),
        vendor=vendor or {},
    )
    return [tuple(found) for found in other_models(request)]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"models": ["a", "b"], "route": "fallback"}, [("models", "a"), ("models", "b")]),
        ({"plugins": [{"id": "fusion", "model": "a"}]}, [("plugins.model", "a")]),
        (
            {"plugins": [{"id": "auto-router", "allowed_models": ["a/*"]}]},
            [("plugins.allowed_models", "a/*")],
        ),
        ({"fallbacks": [{"model": "a", "max_tokens": 5}]}, [("fallbacks.model", "a")]),
        ({"fallbacks": ["a"]}, [("fallbacks", "a")]),
        ({"tools": [{"type": "advisor_20260301", "model": "a"}]}, [("tools.model", "a")]),
        (
            {"tools": [{"type": "openrouter:advisor", "parameters": {"model": "a"}}]},
            [("tools.parameters.model", "a")],
        ),
        (
            {"compound_custom": {"models": {"answering_model": "a"}}},
            [("compound_custom.models.answering_model", "a")],
        ),
        (
            {"providerOptions": {"gateway": {"models": ["a"]}}},
            [("providerOptions.gateway.models", "a")],
        ),
        (
            {"generationConfig": {"routingConfig": {"manualMode": {"modelName": "a"}}}},
            [("generationConfig.routingConfig.manualMode.modelName", "a")],
        ),
        ({"draft_model": "a"}, [("draft_model", "a")]),
        ({"provider": {"allow_fallbacks": True}}, []),
        ({"messages": [{"role": "user", "content": "x", "model": "a"}]}, []),
        ({"metadata": {"model": "a"}}, []),
        (
            {
                "tools": [
                    {"type": "function", "parameters": {"examples": [{"model": "a"}]}},
                    {"name": "f", "input_schema": {"default": {"model": "a"}}},
                    {"functionDeclarations": [{"parameters": {"default": {"model": "a"}}}]},
                ]
            },
            [],
        ),
    ],
)
def test_whatever_the_field_is_called(body: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert found == named(body)
    assert found == named({}, body)


def test_a_body_may_be_deeper_than_calls_may_be() -> None:
    deep: dict[str, Any] = {"models": ["a"]}
    for _ in range(5000):
        deep = {"x": deep}
    assert ["a"] == [model for _, model in named(deep)]
