"""Baidu's Yiyan (ERNIE Bot), `POST /eb/chat/conversation/v2`: named events, text deltas, and the
whole text again at the end.
"""

from proxy.codec.base import Dialect
from proxy.dialects.yiyan.client import YiyanClient
from proxy.dialects.yiyan.upstream import YiyanUpstream

DIALECT = Dialect("yiyan", client=YiyanClient(), upstream=YiyanUpstream())
