"""Pictures by their names: from a fit and a few options to a figure or a file.

`KINDS` says what there is; `plot` draws one. The functions in `views` and `plots` that they are
made of take more.
"""

from bayes_distill.pictures.drawing import plot
from bayes_distill.pictures.kind import Kind
from bayes_distill.pictures.kinds import KINDS

__all__ = ["KINDS", "Kind", "plot"]
