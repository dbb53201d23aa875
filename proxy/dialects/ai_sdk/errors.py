"""An error before the first byte, as the SDK's chat transport reads it."""

from proxy.codec.base import Reply
from proxy.errors import Failure


def render_error(why: Failure) -> Reply:
    """See `ClientHalf.render_error`. The body is a sentence: the transport throws an Error whose
    message is the body, and pages show that.
    """
    return Reply(why.status, why.message.encode(), content_type="text/plain; charset=utf-8")
