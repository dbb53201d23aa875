"""Images: this vendor wants bare base64, everybody else says what kind it is."""

import base64
import binascii

from proxy.errors import bad_request

# How base64 of the formats that the vendor's models take begins.
_BEGINNINGS = {
    "/9j/": "image/jpeg",
    "iVBOR": "image/png",
    "UklGR": "image/webp",
    "R0lGOD": "image/gif",
}
_UNKNOWN = "image/png"  # what the model makes of it, it will say


def data_url(image: str, at: str) -> str:
    """A client's image as a data: URL; it may be one already. Raises Refused for what is no base64.
    `at` is where it stands in the body.
    """
    if image.startswith("data:"):
        return image
    try:
        base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError):
        raise bad_request(f"{at} must be an image in base64.", param=at) from None
    return typed(image)


def typed(image: str) -> str:
    """Bare base64 as a data: URL, whose type its beginning tells."""
    kinds = (kind for beginning, kind in _BEGINNINGS.items() if image.startswith(beginning))
    return f"data:{next(kinds, _UNKNOWN)};base64,{image}"


def bare(url: str) -> str | None:
    """The base64 in a data: URL. None for an address: the vendor fetches nothing."""
    head, comma, data = url.partition(",")
    return (
        data if comma and head.startswith("data:") and head.endswith(";base64") and data else None
    )
