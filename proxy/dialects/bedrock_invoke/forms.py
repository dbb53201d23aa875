"""The bodies of the models that are no chat models, each in its own form. Sources: see `wire`."""

from collections.abc import Callable
from typing import Any

from proxy.codec.chat_turns import drop
from proxy.codec.single_prompt import cannot_say, one_prompt, part_notes, turn_text
from proxy.dialects.bedrock_invoke import prompts
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest

Form = Callable[[ChatRequest, list[Note]], dict[str, Any]]


def llama(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    """Meta's Llama. It knows no stop sequences."""
    prompt = prompts.llama(request, notes)
    return {"prompt": prompt} | _settings(
        request, notes, max_tokens="max_gen_len", temperature="temperature", top_p="top_p"
    )


def mistral(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    """Mistral's models of the text form."""
    prompt = prompts.mistral(request, notes)
    names = {
        "max_tokens": "max_tokens",
        "temperature": "temperature",
        "top_p": "top_p",
        "stop": "stop",
    }
    return {"prompt": prompt} | _settings(request, notes, **names)


def titan(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    """Amazon's Titan Text."""
    prompt = one_prompt(request, notes)
    names = {
        "max_tokens": "maxTokenCount",
        "temperature": "temperature",
        "top_p": "topP",
        "stop": "stopSequences",
    }
    return {"inputText": prompt, "textGenerationConfig": _settings(request, notes, **names)}


_COHERE = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "p",
    "stop": "stop_sequences",
}


def cohere(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    """Cohere's Command, which streams only if asked to."""
    return {"prompt": one_prompt(request, notes), "stream": True} | _settings(
        request, notes, **_COHERE
    )


def cohere_chat(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    """Cohere's Command R: the newest turn, and those before it."""
    turns = [(turn.role, turn_text(turn)) for turn in request.messages]
    turns = [(role, text) for role, text in turns if text.strip()]
    if not turns or turns[-1][0] not in ("user", "tool"):
        raise bad_request(
            "messages must end in a turn of the user with text: this model answers it.",
            param="messages",
        )
    for note in part_notes(request.messages, images=False):
        drop(notes, note.param, note.message)
    roles = {"assistant": "CHATBOT", "system": "SYSTEM"}
    body: dict[str, Any] = {"message": turns[-1][1]}
    history = [{"role": roles.get(role, "USER"), "message": text} for role, text in turns[:-1]]
    if history:
        body["chat_history"] = history
    if request.system:
        body["preamble"] = request.system
    return body | _settings(request, notes, seed="seed", **_COHERE)


FORMS: dict[str, Form] = {
    "llama": llama,
    "mistral": mistral,
    "titan": titan,
    "cohere": cohere,
    "cohere_chat": cohere_chat,
}


def _settings(request: ChatRequest, notes: list[Note], **names: str) -> dict[str, Any]:
    """The settings that the model has, by its own names; the others are noted."""
    notes += cannot_say(request, names)
    values = {theirs: getattr(request, ours) for ours, theirs in names.items()}
    return {name: value for name, value in values.items() if value not in (None, [])}
