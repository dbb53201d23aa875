"""Plain text over server-sent events: `data: <text>` and nothing else. The form of the smallest
hand-written servers and pages.

No JSON, no roles, no usage, no finish reason. As an upstream such a server often ends by closing
the body alone; towards clients the last frame is `data: [done]`, which a page's native EventSource
needs in order to stop reconnecting.
"""

from proxy.codec.base import Dialect
from proxy.dialects.plain.client import PlainClient
from proxy.dialects.plain.upstream import PlainUpstream

DIALECT = Dialect("plain", client=PlainClient(), upstream=PlainUpstream())
