"""Names of events that are a vendor's own words."""


def event_name(word: str) -> str:
    """The word as it may stand in an `event:` line. What would end the line, or cannot be seen in
    it, is a question mark; so no such word becomes a name that clients know.
    """
    if word.isprintable():
        return word
    return "".join(sign if sign.isprintable() else "?" for sign in word)
