"""What counts as a number in a specification."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def is_number(value: Any) -> bool:
    """Whether `value` is a number and not a truth value."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def is_positive(value: Any) -> bool:
    """Whether `value` is a positive, finite number."""
    return is_number(value) and 0 < value < math.inf
