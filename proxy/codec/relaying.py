"""A request on its way to a target: built from what was understood of it, or, where client and
upstream speak the same dialect, the client's own with as little changed as can be.

    built(half, request, config)    -> Outgoing, under the target's rules
    own_body(original, ...)           -> the client's body for `UpstreamHalf.relay_request`
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.custom_tools import as_functions, custom_names
from proxy.codec.halves import UpstreamHalf
from proxy.codec.mended import mended
from proxy.codec.paired import paired
from proxy.codec.refused import let_through
from proxy.codec.unsaid import refuse_unsaid
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Message, Original

_OWN = Note(
    "dropped", "own", "What the client says to vendors of another dialect alone is left out."
)
_REFUSED = Note("dropped", "refuse", "Of vendor, what the configuration refuses is left out.")
_SYSTEM_ALONE = Note(
    "changed", "messages.system", "Where nobody else speaks, the system's text is the user's."
)


def built(half: UpstreamHalf, request: ChatRequest, config: TargetConfig) -> Outgoing:
    """The request for an upstream. Raises what `build_request` and `relay_request` raise, and
    Refused (bad_request) for a request that can only be relayed, and cannot be relayed there.
    """
    refuse = config.rules.refuse
    if refuse and request.vendor:
        vendor = let_through(request.vendor, refuse)
        if vendor != request.vendor:
            rest = built(half, replace(request, vendor=vendor), config)
            return rest._replace(notes=(_REFUSED, *rest.notes))
    original = request.original
    if original is not None and original.dialect in half.relays and half.relay_request is not None:
        call = half.relay_request(request, original, config)
        if call is not None:
            return call._replace(relayed=True)
    if request.only_relayed is not None:
        param, said = request.only_relayed.param, request.only_relayed.message
        raise bad_request(f"{config.upstream} cannot take {param}: {said}.", param=param)
    notes: list[Note] = []
    if not request.messages and request.system:
        notes.append(_SYSTEM_ALONE)
        request = replace(
            request, messages=[Message("user", request.system)], system=None, system_parts=[]
        )
    if any(dialect != half.name for dialect in request.own):
        notes.append(_OWN)
    custom = config.rules.custom_tools
    free = half.custom_tools if custom is None else custom
    if half.tools:
        request = paired(request, notes)
    mend = mended(request if free else as_functions(request, notes), config.rules)
    refuse_unsaid(half.build_request, mend.request, config)
    call = half.build_request(mend.request, config)
    if not (notes or mend.notes or mend.tool_names or request.tools):
        return call
    return call._replace(
        notes=(*notes, *mend.notes, *call.notes),
        tool_names={**mend.tool_names, **call.tool_names},
        custom_tools=call.custom_tools if free else custom_names(request.tools),
    )


def own_body(original: Original, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The client's body with these keys set: in their place where the client had them, at the end
    where it had not. The same request gives the same bytes, so a vendor's prompt cache hits.
    """
    return {**original.body, **changes}


def without_original(request: ChatRequest, **changes: Any) -> ChatRequest:
    """The request with fields changed by us: what the client wrote no longer says all of it."""
    return replace(request, original=None, **changes)
