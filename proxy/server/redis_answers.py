"""Answers of a Redis that are none: something else listens there, or stands in a key's place. The
client library then raises what Python does of values that do not fit.
"""

ODD: tuple[type[Exception], ...] = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    RecursionError,
)
