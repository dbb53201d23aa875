"""The variables of an environment as a tree of settings, by pydantic-settings' own rules.

Imported only where a variable sets something: it takes a twentieth of a start.
"""

from collections.abc import Mapping
from typing import Any, get_origin

from pydantic_settings import BaseSettings, EnvSettingsSource

from proxy.settings.model import Settings


class _Names(Settings, BaseSettings):  # type: ignore[misc]  # the settings' own model_config holds
    """Only tells the source which settings there are; never made."""


class _Source(EnvSettingsSource):
    """pydantic-settings' own reading of an environment, of the one that it is given."""

    def __init__(self, environ: Mapping[str, str], prefix: str, nested: str) -> None:
        super().__init__(
            _Names, case_sensitive=False, env_prefix=prefix, env_nested_delimiter=nested
        )
        self.env_vars = {name.lower(): value for name, value in environ.items()}

    def decode_complex_value(self, field_name: str, field: Any, value: Any) -> Any:
        """JSON for lists and sections; a list of texts may also be written with commas. What is
        neither, validation refuses.
        """
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            is_list = get_origin(
                getattr(field, "annotation", None)
            ) is tuple and not value.lstrip().startswith(("[", "{"))
            return [part.strip() for part in value.split(",")] if is_list else value


def tree_of(environ: Mapping[str, str], prefix: str, nested: str) -> dict[str, Any]:
    """The settings that are set by variables whose names begin with `prefix`; `nested` stands
    between a section's name and what is in it.
    """
    return _Source(environ, prefix, nested)()
