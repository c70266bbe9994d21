"""TOML of somebody's: a mistake in it is a sentence, whatever its shape."""

from __future__ import annotations

import re
import tomllib
from typing import Any

DEEPEST = 100
"""Parts of a dotted key: `tomllib` takes the square of their number in time."""
PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*"""
DEEP_KEY = re.compile(rf"(?<![\w-])(?:{PART}){{{DEEPEST}}}")


class TomlError(ValueError):
    """What is wrong with the text."""


def parse_toml(text: str) -> dict[str, Any]:
    """Plain data of TOML text.

    Raises
    ------
    TomlError
        If it is none, is nested too deeply, or has a number of thousands of digits.
    """
    if DEEP_KEY.search(text):
        raise TomlError("a key has too many parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise TomlError("it is nested too deeply") from None
    except ValueError as error:
        raise TomlError(str(error)) from None
