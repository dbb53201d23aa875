"""The catalogue of vendors, and what it gives to upstreams that name one: `openai: {vendor:
openai}`.

The catalogue is proxy/settings/vendors.yaml, which explains its own fields. It is filled in before
the tree is validated, so that what it gives is checked like what a file says; a file's own keys go
before it.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
import yaml

from proxy.settings.mistakes import Problems, nearest
from proxy.settings.reaching import is_on
from proxy.settings.secret import holds_secret

CATALOGUE = "vendors.yaml"


class ModelFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What some models take. `match`: patterns of a model's name in lower case, with * for any
    text. `takes`: fields of `proxy.codec.rules.Rules`. `source`: where the vendor says so.
    """

    match: tuple[str, ...]
    takes: dict[str, Any]
    source: str


class Facts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all models of a dialect or vendor take, and what some of them do. Of several rows that
    match, a later one goes over an earlier one.
    """

    takes: dict[str, Any] = {}
    models: tuple[ModelFacts, ...] = ()


class Vendor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the catalogue. One of `base_url` and `address` is given."""

    title: str
    dialect: str
    docs: str
    base_url: str | None = None
    address: str | None = None
    key: str | None = None
    needs_key: bool = True
    options: dict[str, Any] = {}
    takes: dict[str, Any] = {}
    models: tuple[ModelFacts, ...] = ()
    note: str | None = None


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `dialects` has facts of the vendor that a dialect comes from: they hold for
    every upstream of the dialect.
    """

    vendors: dict[str, Vendor]
    dialects: dict[str, Facts]


@cache
def catalogue() -> Catalogue:
    """What the file says."""
    text = files("proxy.settings").joinpath(CATALOGUE).read_text("utf-8")
    # libyaml's loader, where PyYAML has it, takes a tenth of the time: an eighth of a start
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return msgspec.convert(yaml.load(text, loader), Catalogue)  # noqa: S506  it is a safe one


def vendors() -> Mapping[str, Vendor]:
    """Every vendor by the name that a configuration uses."""
    return catalogue().vendors


def filled(
    tree: Mapping[str, Any], environ: Mapping[str, str], problems: Problems
) -> dict[str, Any]:
    """The tree, with what the catalogue knows of the vendors that its upstreams name."""
    upstreams = tree.get("upstreams")
    if not isinstance(upstreams, dict):
        return dict(tree)
    named = {
        name: _filled(name, upstream, environ, problems)
        for name, upstream in upstreams.items()
        if isinstance(upstream, dict) and upstream.get("vendor") is not None
    }
    return {**tree, "upstreams": upstreams | named}


def _filled(
    name: str, upstream: Mapping[str, Any], environ: Mapping[str, str], problems: Problems
) -> dict[str, Any]:
    own = {key: value for key, value in upstream.items() if value is not None}
    called = own["vendor"]
    vendor = vendors().get(called) if isinstance(called, str) else None
    where = ("upstreams", name)
    if vendor is None:
        if isinstance(called, str):  # validation says what is no text
            problems.say(
                (*where, "vendor"), f"{called[:60]!r} is not a vendor{nearest(called, vendors())}"
            )
        # Stand-ins: what is missing without the vendor is no news.
        return {
            "dialect": "openai_chat",
            **({} if "mock" in own else {"base_url": "http://127.0.0.1"}),
            **own,
        }
    given: dict[str, Any] = {"dialect": vendor.dialect}
    if own.get("dialect", vendor.dialect) == vendor.dialect and vendor.options:
        options = own.get("options", {})
        given["options"] = vendor.options | options if isinstance(options, dict) else options
    if "mock" not in own:
        given |= _place(where, own, vendor, problems) | _key(where, own, vendor, environ, problems)
    return {**given, **own, **{key: value for key, value in given.items() if key == "options"}}


def _place(
    where: tuple[str, str], own: Mapping[str, Any], vendor: Vendor, problems: Problems
) -> dict[str, Any]:
    if "base_url" in own or vendor.base_url is not None:
        return {"base_url": vendor.base_url}
    problems.say(
        (*where, "base_url"),
        f"is missing: {vendor.title} has an address of your own, such as {vendor.address}",
    )
    return {"base_url": "http://127.0.0.1"}  # a stand-in, as above


def _key(
    where: tuple[str, str],
    own: Mapping[str, Any],
    vendor: Vendor,
    environ: Mapping[str, str],
    problems: Problems,
) -> dict[str, Any]:
    """The key out of the vendor's own variable. An upstream with a key of its own, with a header
    that carries one, or that gets its clients' keys, needs none.
    """
    headers = own.get("headers")
    carried = isinstance(headers, dict) and any(holds_secret(str(header)) for header in headers)
    if (
        vendor.key is None
        or "api_key" in own
        or "api_key_file" in own
        or carried
        or is_on(own.get("pass_through"))
    ):
        return {}
    key = environ.get(vendor.key)
    if key:
        problems.hidden.add((*where, "api_key"))
        return {"api_key": key}
    if vendor.needs_key:
        problems.say(
            (*where, "api_key"),
            (
                f"is missing: set the environment variable {vendor.key}, which is to hold it, or "
                "give api_key or api_key_file"
            ),
        )
    return {}
