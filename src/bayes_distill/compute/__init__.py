"""FLOPs of a model and of a budget: what one token costs, and who is charged for it."""

from bayes_distill.compute.architecture import FLOPS, Architecture, ForwardFlops, PlainCount
from bayes_distill.compute.budget import (
    TRAINING_PASSES,
    Spending,
    student_tokens_left,
    teacher_tokens_left,
    total_flops,
)
from bayes_distill.compute.devices import DEVICES, Device, Hardware, read_hardware
from bayes_distill.compute.scenario import SCENARIOS, Scenario, scenario_named, shared_teacher
from bayes_distill.compute.shape import Shape, shape_of
from bayes_distill.compute.units import PF_DAY, parse_flops

__all__ = [
    "DEVICES",
    "FLOPS",
    "PF_DAY",
    "SCENARIOS",
    "TRAINING_PASSES",
    "Architecture",
    "Device",
    "ForwardFlops",
    "Hardware",
    "PlainCount",
    "Scenario",
    "Shape",
    "Spending",
    "parse_flops",
    "read_hardware",
    "scenario_named",
    "shape_of",
    "shared_teacher",
    "student_tokens_left",
    "teacher_tokens_left",
    "total_flops",
]
