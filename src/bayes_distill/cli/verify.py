"""``bayes-distill verify``: whether a register of forecasts was changed."""

from __future__ import annotations

from typing import Annotated

import typer

from bayes_distill.cli.options import option
from bayes_distill.cli.output import print_sentences
from bayes_distill.cli.shared_options import Common, spread_options


@spread_options
def verify(
    forecasts: Annotated[
        str, typer.Argument(metavar="FORECASTS", help="A register that --register wrote.")
    ],
    *,
    head: Annotated[
        str | None,
        option("A sha256 that an earlier call gave: shows lines missing at the end.", "SHA256"),
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Take off a last line that was not written to its end.")
    ] = False,
    common: Common,
) -> int:
    """Say whether a line of a register was changed after it was written (status 3)."""
    question = common.question()
    from bayes_distill.validation.registered.verification import verify as call

    with question.joined():
        result = call(forecasts, head=head, repair=repair and not question.faults)
    if not common.printed(result):
        from bayes_distill.validation.registered.words import verify_sentence

        print_sentences([verify_sentence(result.to_json())])
    return 0 if result.intact else 3
