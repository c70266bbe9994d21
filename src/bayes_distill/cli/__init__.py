"""The command line: parse, call one function, print. Everything heavy is imported late."""

from bayes_distill.cli.main import main

__all__ = ["main"]
