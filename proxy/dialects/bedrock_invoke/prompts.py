"""A talk as one prompt, marked with the signs by which a model was taught to tell its turns
apart.
"""

import re

from proxy.codec.chat_turns import drop
from proxy.codec.single_prompt import part_notes, turn_text
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, ReasoningPart

# Signs of the models' own inside a text would be read as the end of its turn.
_LLAMA_SIGN = re.compile(r"<\|[a-z0-9_]+\|>")
_MISTRAL_SIGN = re.compile(r"</?s>|\[/?INST\]")


def llama(request: ChatRequest, notes: list[Note]) -> str:
    """The form of Llama 3 and later. Source: Meta's "Prompt Template" pages."""
    turns = _turns(request, notes, _LLAMA_SIGN)
    said = "".join(
        f"<|start_header_id|>{role}<|end_header_id|>\n\n{text}<|eot_id|>" for role, text in turns
    )
    return f"<|begin_of_text|>{said}<|start_header_id|>assistant<|end_header_id|>\n\n"


def mistral(request: ChatRequest, notes: list[Note]) -> str:
    """The form of Mistral's first instruct models, which know no system turn: it stands before the
    next of the user.
    """
    out, question = "<s>", ""
    for role, text in _turns(request, notes, _MISTRAL_SIGN):
        if role == "assistant":
            turn = f"[INST] {question} [/INST] " if question else ""
            out, question = f"{out}{turn}{text}</s>", ""
        else:
            question = f"{question}\n\n{text}" if question else text
    return f"{out}[INST] {question} [/INST]" if question else out


def _turns(
    request: ChatRequest, notes: list[Note], signs: re.Pattern[str]
) -> list[tuple[str, str]]:
    """Role and text of each turn that has one; a tool's result is the user's."""
    if not request.last_user_text.strip():
        raise bad_request(
            "messages must hold a turn of the user with text: this model takes a prompt.",
            param="messages",
        )
    for note in part_notes(request.messages, images=False):
        drop(notes, note.param, note.message)
    if any(isinstance(part, ReasoningPart) for turn in request.messages for part in turn.parts):
        drop(
            notes, "messages.reasoning", "Earlier reasoning is left out: this model takes a prompt."
        )
    said = [("system", request.system or "")]
    said += [
        ("user" if turn.role == "tool" else turn.role, turn_text(turn)) for turn in request.messages
    ]
    plain = [(role, signs.sub("", text).strip()) for role, text in said]
    if any(signs.search(text) for _, text in said):
        drop(
            notes,
            "messages",
            "Signs that this model's prompts are made of were taken out of the texts.",
            "changed",
        )
    return [(role, text) for role, text in plain if text]
