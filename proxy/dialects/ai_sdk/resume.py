"""How much of a stream a page still wants.

Source: `WorkflowChatTransport` of `@ai-sdk/workflow`. It counts the parts that it has had, and asks
for those from `startIndex` on, or for so many of the newest where that is negative. `useChat`'s own
transport says nothing: a page that was loaded again has none of a stream, and wants all of it while
it goes on, or if it ended while the page was away.
"""

import re

from proxy.codec.base import Incoming
from proxy.codec.resuming import Wanted, going_on
from proxy.errors import bad_request

_WHOLE = re.compile(r"-?[0-9]{1,9}")


def wanted(incoming: Incoming) -> Wanted:
    """See `Resuming.wanted`. Raises Refused."""
    index = incoming.query.get("startIndex")
    if index is None:
        return going_on(incoming)
    if not _WHOLE.fullmatch(index):
        raise bad_request("startIndex must be a whole number.", param="startIndex")
    return Wanted("", int(index), ended=True)
