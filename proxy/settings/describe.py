"""The configuration in words: the tree in effect without its secrets, and the annotated file that
names every setting.
"""

import textwrap
from typing import Any

import yaml
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from proxy.settings.model import Settings
from proxy.settings.recording import Record
from proxy.settings.schema import element_of
from proxy.settings.secret import MASK, holds_secret
from proxy.settings.sections import Breaker, Timeouts
from proxy.settings.tree import Tree

_WIDTH = 120


def effective(settings: Settings) -> str:
    """The tree in effect as YAML, secrets masked and what is absent left out. Names of headers
    stay, their values do not.
    """
    return _yaml(_shown(settings.model_dump(exclude_none=True)))


def reference() -> str:
    """config/mainstem.yaml: every setting with its description and default; what has no default as
    a comment with an example.
    """
    lines = [_PREAMBLE.rstrip()]
    for name, field in Settings.model_fields.items():
        branch = element_of(field.annotation)
        assert branch is not None, f"{name} is no section"
        lines += [
            "",
            *(
                _live(name, branch)
                if isinstance(field.default, Tree)
                else _example(name, field, branch)
            ),
        ]
    return "\n".join(lines) + "\n"


def _shown(value: Any, name: str = "") -> Any:
    """Plain values fit to be printed."""
    if isinstance(value, SecretStr) or (holds_secret(name) and isinstance(value, str)):
        return MASK
    if isinstance(value, dict):
        kept = {
            key: item
            for key, item in value.items()
            if not (key == "api_key" and "api_key_file" in value)
        }
        return {key: _shown(item, key) for key, item in kept.items()}
    if isinstance(value, list | tuple):
        return [_shown(item, name) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=_WIDTH)


def _live(name: str, branch: type[Tree]) -> list[str]:
    """A section whose settings all have defaults, written out with them."""
    lines = [*_remark(branch.__doc__), f"{name}:"]
    for key, field in branch.model_fields.items():
        inner = element_of(field.annotation)
        lines += _remark(field.description, "  # ")
        if inner is None:
            lines.append(f"  {key}: {_value(field.default)}")
        else:  # absent by default
            lines += [*_listed(inner, "  #   "), f"#  {key}: {_value(_EXAMPLES[key])}"]
    return lines


def _remark(text: str | None, start: str = "# ", hanging: str = "") -> list[str]:
    """A comment of as many lines as its words need. `hanging` indents all lines but the first."""
    return textwrap.wrap(
        " ".join((text or "").split()),
        width=_WIDTH,
        initial_indent=start,
        subsequent_indent=start + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _example(name: str, field: FieldInfo, branch: type[Tree]) -> list[str]:
    """A section that is absent by default: what it may have, and an example, all as comments."""
    example = yaml.safe_dump(
        {name: _EXAMPLES[name]}, sort_keys=False, default_flow_style=None, width=_WIDTH
    )
    return [
        *_remark(field.description or branch.__doc__),
        *_listed(branch),
        *(f"#{line}" for line in example.splitlines()),
    ]


def _listed(branch: type[Tree], start: str = "#   ") -> list[str]:
    """The settings of a section, one a line: name, default where there is one, description."""
    lines = []
    for key, field in branch.model_fields.items():
        default = (
            ""
            if field.is_required() or field.default in (None, "", (), {})
            else f" (default {_value(field.default)})"
        )
        lines += _remark(f"{key}{default}: {field.description}", start, "  ")
        inner = element_of(field.annotation)
        # described as sections of their own
        if inner is not None and inner not in (Timeouts, Breaker, Record):
            lines += _listed(inner, start + "  ")
    return lines


def _value(value: Any) -> str:
    """One value as it stands behind its name in YAML."""
    plain = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump([plain], default_flow_style=True, width=_WIDTH).strip()[1:-1]


_PREAMBLE = """\
# Mainstem's configuration: every setting, with its default. Run it with `mainstem serve --config config/mainstem.yaml`.
#
# What has no default stands as an example behind a `#`: take that sign away, on each line of the example, to use it.
# Without upstreams and models, as this file stands, the embedded mock answers for every dialect, with no key and no network.
#
# "${NAME}" in any value is the environment variable NAME, "${NAME:-text}" has a default, and "$${" stands for "${" itself.
# The environment goes over the file: MAINSTEM_SERVER__PORT=9000 is server.port. Relative paths start at this file's folder.
# `mainstem check` says what is wrong with a file and prints the tree in effect, without secrets.
#
# This file is written from the program itself; a test holds it current.
"""

_EXAMPLES: dict[str, Any] = {
    "admin": {"host": "127.0.0.1", "port": 9091},
    "tls": {"cert_file": "/run/secrets/tls.crt", "key_file": "/run/secrets/tls.key"},
    "auth": {
        "keys": [
            {
                "name": "web",
                "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
                "models": ["fast"],
                "max_streams": 50,
                "requests_per_minute": 600,
                "tokens_per_minute": 100_000,
                "cost_per_day": 20,
                "expires": "2035-12-31",
            },
            {
                "name": "prometheus",
                "sha256": "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9",
                "models": [],
                "admin": True,
            },
        ],
        "jwt": {
            "jwks_url": "https://login.example.com/.well-known/jwks.json",
            "issuer": "https://login.example.com/",
            "audience": "mainstem",
            "requests_per_minute": 60,
        },
    },
    "tracing": {"endpoint": "http://127.0.0.1:4318/v1/traces"},
    "resume": {"keep_s": 300},
    "record": {"folder": "recordings", "redact": ["user"]},
    "upstreams": {
        "openai": {"vendor": "openai"},
        "gateway": {
            "dialect": "openai_chat",
            "base_url": "https://gateway.example.com/v1",
            "api_key": "${GATEWAY_API_KEY:-none}",
            "timeouts": {"idle_s": 120},
            "prices": {"*": {"input_per_million": 0.5, "output_per_million": 1.5}},
        },
        "anthropic": {
            "dialect": "anthropic",
            "base_url": "https://api.anthropic.com",
            "api_key": "${ANTHROPIC_API_KEY}",
        },
        "demo": {"dialect": "anthropic", "mock": {"scenario": "hello", "tokens_per_s": 40}},
    },
    "models": {
        "fast": [
            {"upstream": "openai", "model": "gpt-4o-mini"},
            {"upstream": "anthropic", "model": "claude-haiku-4-5"},
        ],
        "steady": {
            "targets": [
                {"upstream": "openai", "model": "gpt-4o", "weight": 3},
                {"upstream": "gateway", "weight": 1},
            ],
            "hedge_after_s": 3,
        },
        "*": [{"upstream": "demo"}],
    },
}
