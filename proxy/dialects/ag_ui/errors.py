"""An error before the first byte, as AG-UI's clients read it."""

import msgspec

from proxy.codec.base import Reply
from proxy.dialects.ag_ui.shapes import failed
from proxy.errors import Failure
from proxy.events import NO_USAGE


def render_error(why: Failure) -> Reply:
    """See `ClientHalf.render_error`. The clients throw on the status and show the body, which is
    the event that a stream would end with.
    """
    return Reply(why.status, msgspec.json.encode(failed(why, NO_USAGE, "")))
