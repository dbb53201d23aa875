"""Lists that a client may leave out where it has one thing: the vendor reads a single content, part
or tool as a list of it, and its own guides write `"parts": {"text": ...}`.
"""

from typing import Any


def listed(body: dict[str, Any]) -> dict[str, Any]:
    """The body, its keys in camel case, with lists; the client's own is not changed."""
    changes: dict[str, Any] = {}
    if "contents" in body:
        changes["contents"] = _each(body["contents"], "parts")
    if isinstance(body.get("systemInstruction"), dict):
        changes["systemInstruction"] = _with_list(body["systemInstruction"], "parts")
    if "tools" in body:
        changes["tools"] = _each(body["tools"], "functionDeclarations")
    return {**body, **changes}


def _each(said: Any, key: str) -> Any:
    things = [said] if isinstance(said, dict) else said
    return [_with_list(each, key) for each in things] if isinstance(things, list) else said


def _with_list(holder: Any, key: str) -> Any:
    said = holder.get(key) if isinstance(holder, dict) else None
    return {**holder, key: [said]} if isinstance(said, dict) else holder
