"""Who speaks in a turn, in the words of each API: programs that talk with several vendors, and
templates of open models, mix them up.
"""

from collections.abc import Collection
from typing import Any

from proxy.codec.mapped import mapped
from proxy.request import OnlyRelayed

# Words for one speaker.
_ALIKE = (
    ("user", "human"),
    ("assistant", "model", "ai", "bot", "chatbot"),
    ("system", "developer"),
    ("tool", "function"),
)
_SHOWN_CHARS = 40


def known_role(said: str, known: Collection[str]) -> str:
    """The word among the `known` that means the same as the one that was said, in whatever case; a
    word that means nothing plain stays as it is.
    """
    if said in known:
        return said
    word = said.lower()
    if word in known:
        return word
    alike = next((words for words in _ALIKE if word in words), ())
    return next((each for each in alike if each in known), said)


def with_known_roles(body: dict[str, Any], key: str, known: Collection[str]) -> dict[str, Any]:
    """A client's body with such roles in the turns that stand under `key`. What has them already
    stays the very same object.
    """

    def turn(said: Any) -> Any:
        role = said.get("role") if isinstance(said, dict) else None
        if not isinstance(role, str) or (word := known_role(role, known)) == role:
            return said
        return {**said, "role": word}

    given = body.get(key)
    made = mapped(given, turn)
    return body if made is given else {**body, key: made}


def unknown_role(at: str, said: str, known: Collection[str]) -> OnlyRelayed:
    """Why a turn of another role goes to an upstream of the client's dialect alone: nobody else
    could tell who speaks. `at` is where the turn stands.
    """
    *others, last = known
    words = f"{', '.join(others)} and {last}"
    return OnlyRelayed(f"{at}.role", f"{said[:_SHOWN_CHARS]!r} is no role; known are {words}")
