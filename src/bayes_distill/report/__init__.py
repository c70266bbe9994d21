"""One HTML file that a team can pass around: what a fit says, and a page to play with it."""

from bayes_distill.report.write import Report, write_report

__all__ = ["Report", "write_report"]
