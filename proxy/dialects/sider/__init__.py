"""Sider's chat API: `/api/v1..v3/completion/text` and `/api/chat/v1/completions`.

Frames are `data:{"code":0,"msg":"","data":{...}}` without a space, ended by `data:[DONE]`. One
prompt a call; the vendor keeps the conversation under a `cid`. Every status 200 may still be an
error: `code` says.
"""

from proxy.codec.base import Dialect
from proxy.dialects.sider.client import SiderClient
from proxy.dialects.sider.upstream import SiderUpstream

DIALECT = Dialect("sider", client=SiderClient(), upstream=SiderUpstream())
