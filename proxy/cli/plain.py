"""Text of a vendor, fit for a terminal: it moves no cursor, changes no colour and turns no line
around.
"""

import unicodedata

_KEPT = ("\n", "\t")
_REPLACEMENT = "\ufffd"
# Marks that turn the direction of what follows, or hide it, beside the controls.
_TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029"
_CONTROLS = [
    chr(code)
    for code in range(0xA0)
    if unicodedata.category(chr(code)) == "Cc" and chr(code) not in _KEPT
]
_PLAIN = str.maketrans(
    {**dict.fromkeys(_CONTROLS, _REPLACEMENT), **dict.fromkeys(_TURNING, _REPLACEMENT), "\r": ""}
)
_ESCAPED = str.maketrans(
    {sign: sign.encode("unicode_escape").decode() for sign in [*_CONTROLS, *_TURNING, *_KEPT]}
)


_IN_JSON = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in [*_CONTROLS, *_TURNING]})


def in_json(text: str) -> str:
    """JSON on one line, which says the same: all controls are escaped as JSON does it."""
    return text.translate(_IN_JSON)


def plain(text: str) -> str:
    """The text without controls but line ends and tabs. A lone carriage return is taken out."""
    return text.translate(_PLAIN)


def escaped(text: str) -> str:
    r"""The text on one line: each control as Python writes it, such as \n."""
    return text.translate(_ESCAPED)


def columns(text: str) -> int:
    """How many columns of a terminal it takes: Chinese characters take two, marks upon others
    none (Unicode Standard Annex 11).
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 1 + (unicodedata.east_asian_width(sign) in "WF")
        for sign in text
    )
