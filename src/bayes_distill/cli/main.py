"""The application and what happens to its errors."""

from __future__ import annotations

import io
import os
import re
import sys
from contextlib import suppress
from typing import TextIO

import typer

from bayes_distill._input.text import shown
from bayes_distill._input.version import __version__
from bayes_distill._runtime.address_space import require_address_space
from bayes_distill._runtime.compiled_programs import repaired_programs
from bayes_distill.cli import (
    accuracy,
    arms,
    calibrate,
    check,
    compare,
    datasets,
    demo,
    design,
    fit,
    forecast,
    identify,
    models,
    plan,
    plot,
    predictive,
    report,
    risk,
    score,
    sensitivity,
    simulate,
    update,
    validate,
    verify,
)
from bayes_distill.cli.examples import epilog
from bayes_distill.cli.interrupts import tell_again
from bayes_distill.cli.output import error_line
from bayes_distill.errors import BayesDistillError, InputError, InterruptedFitError

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells give it."""
PIPE_CLOSED = 141
"""Exit status where nobody reads stdout any more, as shells give it."""
QUIET = frozenset({"--quiet", "-q"})
OUT_OF_MEMORY = re.compile(r"RESOURCE_EXHAUSTED|[Oo]ut of memory|bad_alloc")

app = typer.Typer(
    name="bayes-distill",
    help="Bayesian scaling laws: fit runs, forecast students, judge teachers, plan budgets.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    check.check,
    fit.fit,
    forecast.forecast,
    accuracy.accuracy,
    risk.risk,
    plan.plan,
):
    app.command(epilog=epilog(command.__name__))(command)
app.command(epilog=epilog("validate"))(validate.validate)
app.command(epilog=epilog("compare"))(compare.compare)
app.command(epilog=epilog("arms"))(arms.arms)
app.command(cls=plot.PlotCommand, short_help="Draw a plot of a fit.", epilog=epilog("plot"))(
    plot.plot
)
for check_of_fit in (predictive.predictive, sensitivity.sensitivity, identify.identify):
    app.command(epilog=epilog(check_of_fit.__name__))(check_of_fit)
app.command(epilog=epilog("calibrate"))(calibrate.calibrate)
app.command(epilog=epilog("design"))(design.design)
app.command(epilog=epilog("update"))(update.update)
for of_register in (score.score, verify.verify):
    app.command(epilog=epilog(of_register.__name__))(of_register)
app.command(epilog=epilog("report"))(report.report)
app.command(epilog=epilog("simulate"))(simulate.simulate)
app.command(epilog=epilog("demo"))(demo.demo)
app.add_typer(models.app, name="models")
app.add_typer(datasets.app, name="datasets")


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
    require_address_space()  # importing JAX and SciPy may end the process already


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with 0, 2 (input at fault) or 3 (fit failed its checks).

    The process is the package's own: it writes what the streams have no characters for as escapes,
    and computes in float64 whatever ``JAX_ENABLE_X64`` says.
    """
    os.environ.pop("JAX_ENABLE_X64", None)
    if sys.stdout is None:
        error_line(["stdout is closed, and the answer goes there"])
        sys.exit(2)
    sys.unraisablehook = tell_again
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    status = run(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has seen enough
        _abandon(sys.stdout)
        status = status or PIPE_CLOSED
    except OSError as error:
        _abandon(sys.stdout)
        error_line([f"stdout cannot be written to: {error.strerror}"])
        status = status or 2
    sys.exit(status)


def _abandon(stream: TextIO) -> None:
    """Let what could not be written go, which Python would try again as it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit status."""
    try:
        with repaired_programs(quiet=not QUIET.isdisjoint(arguments)):
            result = app(arguments, standalone_mode=False)
        if result == INTERRUPTED:  # typer takes a KeyboardInterrupt for an exit without a word
            raise KeyboardInterrupt
    except InputError as error:
        error_line(error.faults, _flags(arguments))
        return 2
    except InterruptedFitError as error:
        error_line([str(error)])
        return INTERRUPTED
    except BayesDistillError as error:
        error_line([str(error)])
        return 2
    except typer.exceptions.TyperException as error:
        describe = getattr(error, "format_message", None)
        message = describe() if describe else str(error)
        error_line([message or "name one of the commands above"])  # none: the help was printed
        return 2
    except BrokenPipeError:
        return PIPE_CLOSED
    except OSError as error:  # a full disk, a folder that cannot be entered
        error_line([_of_system(error)])
        return 2
    except MemoryError:
        error_line(["there is not enough memory: ask for less at a time, or use fewer draws"])
        return 2
    except (RuntimeError, AssertionError) as error:  # JAX's and XLA's have no class of their own
        if _of_platform(error):
            named = shown(os.environ.get("JAX_PLATFORMS", "?"))
            error_line(
                [
                    f"JAX has no platform {named} here, which the environment variable "
                    "JAX_PLATFORMS names: unset it, or set it to cpu"
                ]
            )
            return 2
        if not OUT_OF_MEMORY.search(str(error)):
            raise
        error_line(["there is not enough memory: ask for less at a time, or use fewer draws"])
        return 2
    except (KeyboardInterrupt, typer.Abort):
        error_line(["interrupted; nothing was written"])
        return INTERRUPTED
    return result if isinstance(result, int) else 0


def _of_platform(error: Exception) -> bool:
    """Whether JAX found no platform of the name that it was told."""
    if "JAX_PLATFORMS" not in os.environ:
        return False
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    in_set_up = place is not None and place.tb_frame.f_code.co_filename.endswith("xla_bridge.py")
    return in_set_up or "Unable to initialize backend" in str(error)


def _of_system(error: OSError) -> str:
    """What the system said, and of which file."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename is not None else reason


def _flags(arguments: list[str]) -> set[str]:
    """Names of the options of the command that was called, as faults name them."""
    command = typer.main.get_command(app)
    for word in arguments[:2]:  # such as fit, or models show
        command = getattr(command, "commands", {}).get(word, command)
    options = [option for parameter in command.params for option in parameter.opts]
    flags = {o[2:].replace("-", "_") for o in options if o.startswith("--")}
    if any(a.split("=")[0] == "--at" for a in arguments):
        from bayes_distill.predict.points import NAMES

        # params and the like are then columns of that table, not what was typed
        flags -= set(NAMES)
    return flags
