"""Accelerators and their peak FLOP/s, so that budgets can be hours of them and money."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bayes_distill.compute._checks import is_number, is_positive
from bayes_distill.errors import Fault, InputError

HOUR = 3600.0
UTILISATION = 0.4
"""Share of the peak that training reaches where nobody says so: Chowdhery et al. 2022
(arXiv:2204.02311, table 3) measured 21% to 46% of the peak in large language models."""


@dataclass(frozen=True, slots=True)
class Device:
    """An accelerator.

    Parameters
    ----------
    name
        What it is called on the command line.
    peak_flops
        FLOP/s of dense matrix products in bfloat16 (float16 where it has no bfloat16), without
        sparsity.
    source
        Where that is stated.
    """

    name: str
    peak_flops: float
    source: str


DEVICES: MappingProxyType[str, Device] = MappingProxyType(
    {
        device.name: device
        for device in (
            Device("v100", 125e12, "NVIDIA V100 data sheet, SXM2, float16"),
            Device("a100", 312e12, "NVIDIA A100 data sheet"),
            Device(
                "h100", 989e12, "NVIDIA H100 data sheet, SXM; half of what it says with sparsity"
            ),
            Device("h100-pcie", 756e12, "NVIDIA H100 data sheet, PCIe; half of that with sparsity"),
            Device("h200", 989e12, "NVIDIA H200 data sheet, SXM; half of that with sparsity"),
            Device(
                "b200", 2250e12, "NVIDIA DGX B200 data sheet, an eighth; half of that with sparsity"
            ),
            Device("mi250x", 383e12, "AMD Instinct MI250X data sheet"),
            Device("mi300x", 1307e12, "AMD Instinct MI300X data sheet"),
            Device("tpu-v4", 275e12, "Google Cloud TPU documentation, v4, a chip"),
            Device("tpu-v5e", 197e12, "Google Cloud TPU documentation, v5e, a chip"),
            Device("tpu-v5p", 459e12, "Google Cloud TPU documentation, v5p, a chip"),
            Device("tpu-v6e", 918e12, "Google Cloud TPU documentation, v6e, a chip"),
        )
    }
)
"""Accelerators by name."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """What a budget is spent on.

    Parameters
    ----------
    device
        The accelerator.
    utilisation
        Share of its peak that training reaches (model FLOPs utilisation), above 0 and at most 1.
    price
        Of an hour of one, in any currency; ``None`` if it is not asked for.

    Raises
    ------
    InputError
        Naming every value that is out of range.
    """

    device: Device
    utilisation: float = UTILISATION
    price: float | None = None

    def __post_init__(self) -> None:
        faults = []
        if not (is_number(self.utilisation) and 0 < self.utilisation <= 1):
            faults.append(
                Fault(
                    f"must be above 0 and at most 1 (0.4 means 40%), not {self.utilisation!r}",
                    column="utilisation",
                )
            )
        if self.price is not None and not is_positive(self.price):
            faults.append(Fault(f"must be a positive number, not {self.price!r}", column="price"))
        if faults:
            raise InputError(faults)

    def hours(self, flops: float) -> float:
        """Hours of one device that this many FLOPs take."""
        return flops / (self.device.peak_flops * self.utilisation * HOUR)

    def flops(self, hours: float) -> float:
        """FLOPs that so many hours of one device do."""
        return hours * self.device.peak_flops * self.utilisation * HOUR

    def cost(self, flops: float) -> float:
        """What this many FLOPs cost, in the currency of `price`; NaN without a price."""
        return math.nan if self.price is None else self.hours(flops) * self.price

    def to_json(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "device": self.device.name,
            "peak_flops": self.device.peak_flops,
            "utilisation": self.utilisation,
            "price": self.price,
        }


def read_hardware(
    device: str | Device | None,
    utilisation: float | None = None,
    price: float | None = None,
) -> Hardware | None:
    """Hardware from its parts; ``None`` if no device is named.

    Parameters
    ----------
    device
        A name of `DEVICES`, in either case, or a `Device` of one's own.
    utilisation
        Share of its peak; 0.4 by default.
    price
        Of an hour of one device.

    Raises
    ------
    InputError
        If there is no such device (the message lists them), a number is out of range, or there are
        numbers without a device.
    """
    if device is None:
        faults = [
            Fault("goes with `device`: name the accelerator", column=name)
            for name, value in (("utilisation", utilisation), ("price", price))
            if value is not None
        ]
        if faults:
            raise InputError(faults)
        return None
    faults = []
    found = device if isinstance(device, Device) else DEVICES.get(str(device).lower())
    if found is None:
        known = ", ".join(DEVICES)
        faults.append(Fault(f"no device {device!r}; there are {known}", column="device"))
    share = UTILISATION if utilisation is None else utilisation
    try:
        hardware = Hardware(found or next(iter(DEVICES.values())), share, price)
    except InputError as error:
        faults += error.faults
    if faults:
        raise InputError(faults)
    return hardware
