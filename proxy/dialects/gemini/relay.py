"""A client's own GenerateContentRequest, for an upstream of this dialect: what this module does not
name stays as the client wrote it, whatever it is.

Changed are: the model and whether to stream, which stand in the path; what the operator has
configured; what the target's rules forbid; and what the vendor would refuse, because it came from
another vendor or because the model is another than the client thought.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import drop, options_of
from proxy.codec.mapped import changed
from proxy.codec.proofs import GEMINI, fits
from proxy.codec.relaying import own_body
from proxy.codec.rules import Rules, kept_name
from proxy.codec.shared_notes import RENAMED_TOOLS
from proxy.codec.tool_calls import is_made
from proxy.codec.wire_rules import keep_to
from proxy.dialects.gemini.schema import both_spellings, in_camel, spelled
from proxy.dialects.gemini.signatures import NO_SIGNATURE, UNSIGNED_CALL, from_wire
from proxy.dialects.gemini.target import Options, headers, path
from proxy.dialects.gemini.thinking import mended
from proxy.events import Note
from proxy.request import ChatRequest, Original

_NAMED = ("functionCall", "functionResponse")
_Object = dict[str, Any]


def relay_request(request: ChatRequest, original: Original, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.relay_request`."""
    options = options_of(target, Options)
    model = (target.model or request.model).removeprefix("models/")
    body = own_body(original, {})
    body.pop("model", None)  # the path has it, and it may be another
    notes: list[Note] = []
    mender = _Mender(both_spellings(target.rules), options, target.upstream, notes, {})
    mender.mend(body)
    if options.safety_settings:
        body[spelled(body, "safetySettings") or "safetySettings"] = options.safety_settings
    if mender.names:
        notes.append(RENAMED_TOOLS)
    return Outgoing(
        path(model, options),
        msgspec.json.encode(body),
        {**original.headers, **headers(target.api_key, options)},
        tuple(notes),
        tool_names=mender.names,
    )


class _Mender(NamedTuple):
    """Changes a body in place, but none of the objects in it: they are the client's, and another
    target may get them. `names`: those of tools, as sent, to the client's.
    """

    rules: Rules
    options: Options
    upstream: str
    notes: list[Note]
    names: dict[str, str]

    def mend(self, body: _Object) -> None:
        self._keep_to(body)
        key = spelled(body, "systemInstruction")
        if key is not None and isinstance(body[key], str):  # which the vendor refuses
            body[key] = {"parts": [{"text": body[key]}]}
        elif key is not None:
            body[key] = self._content(body[key])
        self._inner(body, "generationConfig", self._config)
        self._listed(body, "tools", self._tool)
        self._inner(body, "toolConfig", self._tool_config)
        self._listed(body, "contents", self._content)

    def _keep_to(self, value: _Object) -> None:
        for name in [name for name in value if "_" in name and in_camel(name) in value]:
            del value[name]  # else only one of the two would be mended, and the vendor read both
            drop(self.notes, name, "It stands there in camelCase too, which was sent.")
        keep_to(self.rules, value, self.notes, self.upstream)

    def _inner(self, owner: _Object, name: str, change: Any) -> None:
        """Change a copy of an object in an object."""
        key = spelled(owner, name)
        if key is not None and isinstance(owner[key], dict):
            copy = owner[key] = dict(owner[key])
            change(copy)

    def _listed(self, owner: _Object, name: str, change: Any) -> None:
        """Change what stands in a list, for which the server takes one object alone too; what
        becomes None goes, and a list of which nothing is left.
        """
        key = spelled(owner, name)
        said = None if key is None else owner[key]
        if key is None or not said or not isinstance(said, list | dict):
            return
        alone = isinstance(said, dict)
        kept = change(said) if alone else [new for old in said if (new := change(old)) is not None]
        if kept:
            owner[key] = kept
        else:
            del owner[key]

    def _config(self, config: _Object) -> None:
        self._keep_to(config)
        key = spelled(config, "thinkingConfig")
        if key is not None and isinstance(config[key], dict):
            shown = self.options.include_thoughts
            taken = mended(config[key], self.rules, self.notes, include_thoughts=shown)
            config[key] = taken
            if taken is None:
                del config[key]
        self._at_most(config, "maxOutputTokens", self.rules.largest_max_tokens)
        self._at_most(config, "temperature", self.rules.largest_temperature)
        key, most = spelled(config, "stopSequences"), self.rules.stop_most
        if key is None or most is None or not isinstance(config[key], list):
            return
        if len(config[key]) > most:
            config[key] = config[key][:most]
            said = f"Gemini takes {most} stop sequences; the first of them were sent."
            drop(self.notes, "stop", said, "changed")

    def _at_most(self, config: _Object, name: str, most: float | None) -> None:
        key = spelled(config, name)
        given = None if key is None else config[key]
        if key is not None and most is not None and isinstance(given, int | float) and given > most:
            config[key] = most
            drop(self.notes, name, f"The upstream takes {name} up to {most}.", "changed")

    def _tool(self, tool: Any) -> Any:
        """A tool without the kinds that are not let through."""
        if not isinstance(tool, dict):
            return tool
        out = dict(tool)
        self._keep_to(out)
        self._listed(out, "functionDeclarations", self._named)
        return out if out or not tool else None

    def _tool_config(self, config: _Object) -> None:
        self._inner(config, "functionCallingConfig", self._calling)

    def _calling(self, calling: _Object) -> None:
        self._listed(calling, "allowedFunctionNames", self._fitted)

    def _named(self, value: Any) -> Any:
        """A declaration, a call or a response, under a name that fits."""
        name = value.get("name") if isinstance(value, dict) else None
        fitted = self._fitted(name)
        return value if fitted == name else {**value, "name": fitted}

    def _named_part(self, value: Any) -> Any:
        """A call or a response; a response has parts of its own."""
        return self._known(self._named(self._content(value)))

    def _known(self, value: Any) -> Any:
        """A call or a response without an id that the client has from us: the vendor gave none."""
        if not isinstance(value, dict) or not is_made(value.get("id")):
            return value
        return {name: of for name, of in value.items() if name != "id"}

    def _fitted(self, name: Any) -> Any:
        return kept_name(self.rules.tool_name, name, self.names)

    def _content(self, content: Any) -> Any:
        """The very same turn where there is nothing to mend. One part may stand alone."""
        parts = content.get("parts") if isinstance(content, dict) else None
        if isinstance(parts, dict):
            parts = [parts]
        if not isinstance(parts, list):
            return content
        mend = changed(parts, list(self._parts(parts)))
        return content if mend is parts else {**content, "parts": mend}

    def _parts(self, parts: list[Any]) -> Iterator[Any]:
        follows_call = False  # of calls side by side the first alone has a signature
        for part in parts:
            out = self._part(part) if isinstance(part, dict) else part
            if out is None:
                continue
            is_call = isinstance(out, dict) and spelled(out, "functionCall") is not None
            if is_call and not follows_call and self.rules.proves_calls and not _signature(out):
                drop(self.notes, "messages.tool_call", UNSIGNED_CALL, "changed")
                out = {**out, spelled(out, "thoughtSignature") or "thoughtSignature": NO_SIGNATURE}
            follows_call = is_call
            yield out

    def _part(self, part: _Object) -> _Object | None:
        out = part
        if self.rules.refuse and not part.keys().isdisjoint(self.rules.refuse):
            out = dict(part)
            self._keep_to(out)
            if not out:
                return None
        if not fits(_maker(_signature(out)), GEMINI):
            drop(self.notes, "messages.reasoning", "What another vendor signed is sent unsigned.")
            key = spelled(out, "thoughtSignature")
            out = {name: value for name, value in out.items() if name != key}
        for name in _NAMED:
            key = spelled(out, name)
            if key is not None and (fit := self._named_part(out[key])) is not out[key]:
                out = {**out, key: fit}
        return out


def _signature(part: Mapping[str, Any]) -> Any:
    key = spelled(part, "thoughtSignature")
    return None if key is None else part[key]


def _maker(signature: Any) -> str | None:
    """Whose a signature is; None where there is none, or nothing is known of it."""
    if not isinstance(signature, str) or not signature:
        return None
    return from_wire(signature).format
