"""What a vendor must see again, in `reasoning_details` of a message: which of the SDKs of clients
whose dialect has no place for it keep it.
"""

from cohere import V2ChatResponse
from ollama import ChatResponse

from proxy.dialects.registry import CLIENTS
from tests.dialects.answers import folded
from tests.dialects.test_carried_proofs import ANSWER, DETAILS, asked


def test_coheres_sdk_keeps_it() -> None:
    """Its types keep keys that they do not know, so a program that appends the message sends it."""
    half = CLIENTS["cohere"]
    body = half.whole(half.parse_request(asked()), folded(ANSWER)).body
    message = V2ChatResponse.model_validate_json(body).message
    assert DETAILS == message.model_dump()["reasoning_details"]


def test_ollamas_python_sdk_drops_it() -> None:
    """So its programs lose it: the types of that SDK have no field, nor any that could stand for
    one, which they keep. Those in JavaScript and those that read the lines themselves have it.
    """
    half = CLIENTS["ollama"]
    body = half.whole(half.parse_request(asked()), folded(ANSWER)).body
    message = ChatResponse.model_validate_json(body).message
    assert "hm" == message.thinking
    assert not hasattr(message, "reasoning_details")
