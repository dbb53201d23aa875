"""The founding post's ChatGLM report server: JSON objects back to back, each holding the whole
answer so far, under an SSE content type.

The same model's OpenAI-like server is the dialect `openai_chat`, not this one.
"""

from proxy.codec.base import Dialect
from proxy.dialects.chatglm.client import ChatGLMClient
from proxy.dialects.chatglm.upstream import ChatGLMUpstream

DIALECT = Dialect("chatglm", client=ChatGLMClient(), upstream=ChatGLMUpstream())
