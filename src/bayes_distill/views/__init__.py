"""Results that pictures are drawn from: grids of questions, put to a posterior in one call.

Each function takes a posterior (or a file or card of one) and gives a frozen result with a table;
`plots` draws these and computes nothing.
"""

from bayes_distill.views.against_supervised import AgainstSupervised, against_supervised
from bayes_distill.views.coefficients import Coefficients, coefficients
from bayes_distill.views.gap_map import GapMap, gap_map
from bayes_distill.views.isoflop import IsoFlop, isoflop
from bayes_distill.views.observed import Observed, observed
from bayes_distill.views.teacher_curves import TeacherCurves, teacher_curves
from bayes_distill.views.trade_offs import TradeOffs, trade_offs

__all__ = [
    "AgainstSupervised",
    "Coefficients",
    "GapMap",
    "IsoFlop",
    "Observed",
    "TeacherCurves",
    "TradeOffs",
    "against_supervised",
    "coefficients",
    "gap_map",
    "isoflop",
    "observed",
    "teacher_curves",
    "trade_offs",
]
