"""Plain data for JSON."""

from __future__ import annotations

import math
from typing import Any


def finite(content: Any) -> Any:
    """Plain data for JSON; a number that is not finite is ``None``."""
    if isinstance(content, dict):
        return {name: finite(value) for name, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
