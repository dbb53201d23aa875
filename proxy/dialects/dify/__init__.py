"""Dify's app API: `POST /v1/chat-messages` for chat, agent and chatflow apps; upstream also
completion and workflow apps.

An app of Dify is a prompt, a model and its tools, chosen by the key. It keeps the conversation
itself and takes one message at a time.
"""

from proxy.codec.base import Dialect
from proxy.dialects.dify.client import DifyClient
from proxy.dialects.dify.upstream import DifyUpstream
from proxy.dialects.dify.wire import NAME

DIALECT = Dialect(NAME, client=DifyClient(), upstream=DifyUpstream())
