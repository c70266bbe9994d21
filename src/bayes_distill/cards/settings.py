"""What all tables of a card have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import InitErrorDetails, PydanticCustomError


class Settings(BaseModel):
    """One table of a card: frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def fault_at(key: tuple[int | str, ...], problem: str, value: Any = None) -> InitErrorDetails:
    """A fault of a key, for a validator that finds several: a line of a `ValidationError`."""
    # the text is an argument: braces in a template would be taken for places in it
    error = PydanticCustomError("fault", "{problem}", {"problem": problem})
    return InitErrorDetails(type=error, loc=key, input=value)
