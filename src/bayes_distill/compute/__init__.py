"""FLOPs of a model and of a budget: what one token costs, and who is charged for it."""

from bayes_distill.compute.architecture import FLOPS, Architecture, ForwardFlops, PlainCount
from bayes_distill.compute.budget import (
    TRAINING_PASSES,
    Spending,
    student_tokens_left,
    teacher_tokens_left,
    total_flops,
)
from bayes_distill.compute.scenario import SCENARIOS, Scenario, scenario_named, shared_teacher

__all__ = [
    "FLOPS",
    "SCENARIOS",
    "TRAINING_PASSES",
    "Architecture",
    "ForwardFlops",
    "PlainCount",
    "Scenario",
    "Spending",
    "scenario_named",
    "shared_teacher",
    "student_tokens_left",
    "teacher_tokens_left",
    "total_flops",
]
