"""Amounts of compute in FLOPs, PF-days and hours of a device."""

import math

import pytest

from bayes_distill.compute import DEVICES, Device, Hardware, parse_flops, read_hardware
from bayes_distill.compute.units import PF_DAY, amounts, has_unit
from bayes_distill.errors import InputError

H100 = read_hardware("h100", 0.4, 2.5)


@pytest.mark.parametrize(
    ("text", "flops"),
    [
        ("1e22", 1e22),
        (7.5e21, 7.5e21),
        ("1e22 FLOPs", 1e22),
        ("40 PF-days", 40 * 8.64e19),
        ("10PFd", 8.64e20),
        ("1 petaFLOP/s-day", 8.64e19),
        ("2.5 pf days", 2.5 * 8.64e19),
        ("10000 GPU-hours", 1e4 * 3600 * 0.4 * 989e12),
        ("10K GPUh", 1e4 * 3600 * 0.4 * 989e12),
        ("1 TPU-hour", 3600 * 0.4 * 989e12),
    ],
)
def test_amounts_are_read_in_every_unit(text, flops):
    assert parse_flops(text, H100) == pytest.approx(flops, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("forty PF-days", "'forty PF-days' is no amount"),
        ("PFd", "write 1e22, 40 PF-days or 10000 GPU-hours"),
        ("10 PF-hours", "is no amount of compute"),
        ("10 GPU-hours", "needs `device`"),
    ],
)
def test_what_is_no_amount_is_refused(text, problem):
    with pytest.raises(ValueError, match=problem):
        parse_flops(text)


def test_lists_name_every_part_at_fault():
    assert amounts("1e21,1 PF-day") == [1e21, PF_DAY]
    assert amounts(["1e21", 2e21]) == [1e21, 2e21]
    with pytest.raises(ValueError, match=r"'x' is no .*'5 GPUh' needs"):
        amounts("x,1e21,5 GPUh")
    assert [has_unit(each) for each in ("1e22,1 FLOP", "1e22,4 PFd", [1e22], None)] == [
        False,
        True,
        False,
        False,
    ]


def test_hours_and_money_of_a_device():
    assert H100 is not None
    # 989 TFLOP/s, two fifths of it used: 1.42e18 FLOPs an hour
    assert H100.hours(1.42416e22) == pytest.approx(1e4)
    assert H100.flops(1e4) == pytest.approx(1.42416e22)
    assert H100.cost(1.42416e22) == pytest.approx(2.5e4)
    assert math.isnan(Hardware(DEVICES["a100"]).cost(1e22))
    own = read_hardware(Device("mine", 1e15, "measured"), 1.0)
    assert own is not None
    assert own.hours(PF_DAY) == 24
    assert read_hardware(None) is None


def test_every_device_has_a_peak_and_a_source():
    assert all(1e13 < d.peak_flops < 1e16 and len(d.source) > 10 for d in DEVICES.values())
    assert list(DEVICES) == [d.name for d in DEVICES.values()]


def test_every_fault_of_hardware_is_named():
    with pytest.raises(InputError) as caught:
        read_hardware("h1000", 40, -1)
    assert [f.column for f in caught.value.faults] == ["device", "utilisation", "price"]
    assert "there are v100, a100, h100" in str(caught.value)
    with pytest.raises(InputError, match="goes with `device`"):
        read_hardware(None, 0.4)
