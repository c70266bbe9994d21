"""Scaling laws as pure functions, one concept a file."""

from bayes_distill._runtime import jax_setup as jax_setup  # float64 before the first array
from bayes_distill.laws.base import Bracket, Coefficient, Coordinate, Law, Reference, TeacherLaw
from bayes_distill.laws.data_limited import DataLimited
from bayes_distill.laws.distillation import Distillation
from bayes_distill.laws.distillation_gain import DistillationGain
from bayes_distill.laws.distillation_no_gap import DistillationNoGap
from bayes_distill.laws.factors import FactoredLaw
from bayes_distill.laws.formula import FORMULA, FormulaLaw
from bayes_distill.laws.inputs import Input, Label
from bayes_distill.laws.own_gap import DistillationGainOwnGap, DistillationOwnGap
from bayes_distill.laws.published import (
    MUENNIGHOFF,
    TABLE_6,
    TABLE_6_AS_PRINTED,
    PublishedValues,
)
from bayes_distill.laws.stacked import STACKED, Stacked, stack_laws
from bayes_distill.laws.supervised import Chinchilla, Supervised

LAWS: dict[str, Law] = {
    law.name: law
    for law in (
        Supervised(),
        Chinchilla(),
        DataLimited(),
        Distillation(),
        DistillationGain(),
        DistillationNoGap(),
        DistillationOwnGap(),
        DistillationGainOwnGap(),
    )
}

__all__ = [
    "FORMULA",
    "LAWS",
    "MUENNIGHOFF",
    "STACKED",
    "TABLE_6",
    "TABLE_6_AS_PRINTED",
    "Bracket",
    "Chinchilla",
    "Coefficient",
    "Coordinate",
    "DataLimited",
    "Distillation",
    "DistillationGain",
    "DistillationGainOwnGap",
    "DistillationNoGap",
    "DistillationOwnGap",
    "FactoredLaw",
    "FormulaLaw",
    "Input",
    "Label",
    "Law",
    "PublishedValues",
    "Reference",
    "Stacked",
    "Supervised",
    "TeacherLaw",
    "stack_laws",
]
