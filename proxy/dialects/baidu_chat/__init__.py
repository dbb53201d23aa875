"""Baidu's AI chat, `POST /aichat/api/conversation`: the bodies of 2023 and those of 2026, on one
path.

The stream is `event:basedata`, then `event:message` packets; the last says `endTurn`. HTTP 200 says
nothing: a packet's `status` does. Cookies, tokens and ids are values of the operator's own session
and come from the configuration alone: nothing here makes one up.
"""

from proxy.codec.base import Dialect
from proxy.dialects.baidu_chat.client import BaiduChatClient
from proxy.dialects.baidu_chat.upstream import BaiduChatUpstream

DIALECT = Dialect("baidu_chat", client=BaiduChatClient(), upstream=BaiduChatUpstream())
