"""One HTML file that a team can pass around: what a fit says, and a page to play with it."""

from bayes_distill.reporting.write import Report, report

__all__ = ["Report", "report"]
