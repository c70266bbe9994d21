"""The house style: a context, and series that keep apart in grey and for the colour-blind."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from bayes_distill.plots import style

# Machado et al. 2009, severity 1, on linear RGB
SIGHT = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def lab(colour: str, sight: np.ndarray = SIGHT["usual"]) -> np.ndarray:
    """CIELAB of a colour as somebody sees it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ np.clip(sight @ linear, 0, 1) / np.array([0.9505, 1, 1.089])
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_settings_outside_stay_as_they_are():
    before = dict(mpl.rcParams)
    with style.house_style():
        assert mpl.rcParams["axes.spines.top"] is False
        assert mpl.rcParams["font.family"] == ["DejaVu Sans"]
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("count", range(2, style.MOST_SERIES + 1))
def test_series_grow_lighter_and_stay_dark_enough_for_white_paper(count):
    lightness = [lab(look.colour)[0] for look in style.series(count)]
    assert (np.diff(lightness) > 7).all()
    assert max(lightness) < 72


@pytest.mark.parametrize("sight", SIGHT)
def test_hues_keep_apart(sight):
    seen = [lab(look.colour, SIGHT[sight]) for look in style.series(style.MOST_SERIES)]
    apart = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
    assert min(apart) > 17


@pytest.mark.parametrize("count", range(1, style.MOST_SERIES + 1))
def test_every_series_has_its_own_marker_and_dashes(count):
    looks = style.series(count)
    assert len({look.marker for look in looks}) == count
    assert len({str(look.dashes) for look in looks}) == count


def test_more_series_than_looks_repeat():
    looks = style.series(2 * style.MOST_SERIES)
    assert looks[: style.MOST_SERIES] == looks[style.MOST_SERIES :]


def test_the_map_of_probabilities_is_even_in_lightness():
    lightness = [lab(c)[0] for c in map(tuple, mpl.colormaps[style.PROBABILITY_MAP].colors)]
    assert (np.diff(lightness) > -0.3).all()  # it is printed as rounded numbers
    assert lightness[-1] - lightness[0] > 70


@pytest.mark.parametrize(
    ("loss", "text"), [(2.0, "2.00"), (1.8953, "1.8953"), (2.123456, "2.1235")]
)
def test_losses_have_two_to_four_decimals(loss, text):
    assert style.loss_text(loss) == text
