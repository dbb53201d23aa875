"""What every section of the settings is."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Tree(BaseModel):
    """A branch of the tree."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, given: Any) -> Any:
        """`idle_s:` with nothing after it keeps the default, as a section whose lines are all
        comments must.
        """
        if not isinstance(given, dict):
            return given
        fields = cls.model_fields
        return {
            key: value
            for key, value in given.items()
            if value is not None or key not in fields or fields[key].is_required()
        }
