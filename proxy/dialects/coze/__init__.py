"""Coze's v3 chat with a bot, and its workflows, as an upstream. There is no client half: nothing
calls a proxy in this dialect.
"""

from proxy.codec.base import Dialect
from proxy.dialects.coze.upstream import CozeUpstream
from proxy.dialects.coze.wire import NAME

DIALECT = Dialect(NAME, upstream=CozeUpstream())
