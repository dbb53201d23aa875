"""What vendors call their answers, which the log tells."""

import pytest

from proxy.codec.tool_names import RestoredTools
from proxy.dialects.registry import UPSTREAMS

CASES = {
    "openai_chat": b'data: {"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
    "anthropic": b'data: {"type":"message_start","message":{"id":"msg_1","content":[]}}\n\n',
    "openai_responses": b'data: {"type":"response.created","response":{"id":"resp_1"}}\n\n',
    "gemini": b'data: {"responseId":"gem-1","candidates":[{"content":{"parts":[{"text":"a"}]}}]}\n\n',
    "cohere": b'data: {"type":"message-start","id":"coh-1","delta":{"message":{"role":"assistant"}}}\n\n',
    "qianfan": b'data: {"id":"as-1","result":"a","is_end":false}\n\n',
}
NAMES = {
    "openai_chat": "chatcmpl-1",
    "anthropic": "msg_1",
    "openai_responses": "resp_1",
    "gemini": "gem-1",
    "cohere": "coh-1",
    "qianfan": "as-1",
}


@pytest.mark.parametrize("dialect", NAMES)
def test_the_vendors_id_of_an_answer_is_known_once_it_came(dialect: str) -> None:
    """Also where the tools of the answer are renamed."""
    for wrapped in (False, True):
        decoder = UPSTREAMS[dialect].decoder(65_536, {})
        if wrapped:
            decoder = RestoredTools(decoder, {})
        assert "" == decoder.answer_id
        decoder.feed(CASES[dialect])
        assert NAMES[dialect] == decoder.answer_id


def test_one_that_gives_none_has_none() -> None:
    decoder = UPSTREAMS["plain"].decoder(65_536, {})
    decoder.feed(b"data: a\n\n")
    assert "" == decoder.answer_id
