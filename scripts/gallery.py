r"""Draw every named plot into docs/gallery, and write the page that shows them.

    python scripts/gallery.py --data busbridge.nc --smaller smaller.nc --hoffmann hoffmann.nc \
        --calibration calibration.json --scores scores.json --compute compute.json \
        --arms arms.nc

The files are made by the commands at the top of the page. Run it again when the shipped
posterior or a plot changes; the same fits give the same files.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "gallery"
PAGE = ROOT / "docs" / "gallery.md"

HEAD = """\
# Gallery

Every named plot, each with the command that draws it; `bayes-distill plot --list` lists them.
`plot` writes PNG, SVG or PDF, and `bayes_distill.plot("capacity-gap-map", "busbridge.nc",
teacher_loss=2.0)` gives the figure in Python. The functions underneath, in the modules of
`bayes_distill.plots`, take a result and the axes to draw on;
[a plot of your own](howto/add-a-plot.md) is one function.

Series differ in brightness, markers and dashes, so that they can be told apart without colour.
Every legend names its band: *credible* bands are about the mean curve, *predictive* ones about one
new run, all of them equal-tailed at the level of `--interval`. Thin and pale curves are
extrapolations: they lie outside the runs and rest on the law alone. If the losses are not in nats
per token, `--unit "bits per byte"` says so on the axes.

The fits behind the plots, of the two public tables of runs:

<!-- given: busbridge.nc, smaller.nc, hoffmann.nc, calibration.json, scores.json, compute.json -->
<!-- given: arms.nc -->
<!-- not run: three full fits and 200 more; the README's test makes two of them -->
```sh
bayes-distill fit busbridge2025 --out busbridge.nc
bayes-distill fit busbridge2025 --where "loss > 2.3" --out smaller.nc
bayes-distill fit hoffmann2022 --where "tokens > 0.43 * params" --out hoffmann.nc
bayes-distill validate hoffmann2022 --where "tokens > 0.43 * params" --model supervised \\
    --leave-out compute --factors 3,10,30 --out compute.json
bayes-distill calibrate distillation --design paper --sweeps 200 --workers 2 --out calibration.json
```

forty made-up forecasts that were scored, `scores.json` ([how](campaign.md)), a fit of three
recipes, `arms.nc` ([how](howto/compare-arms.md)), and a list of teachers, `teachers.csv`:

<!-- file: teachers.csv -->
```text
{teachers}```

`python scripts/gallery.py` draws them all and writes this page.
"""
TEACHERS = """\
name,loss,loss_se,params
ours-700m,2.35,0.004,700M
ours-1.5b,2.20,0.004,1.5B
ours-3b,2.05,0.004,3B
hub-7b,1.90,0.004,7B
"""


@dataclass(frozen=True)
class Example:
    """A plot of the gallery: its file, title, caption, and what follows ``bayes-distill plot``."""

    name: str
    title: str
    caption: str
    command: str


EXAMPLES = (
    Example(
        "student-against-teacher",
        "Student loss against teacher loss",
        "Each student has a best teacher: a stronger one makes it worse. The best teachers of "
        "small students are weaker than those of large ones.",
        "student-against-teacher busbridge.nc",
    ),
    Example(
        "student-against-teacher-1b",
        "One student, with the teachers beyond the runs",
        "A 1B student on 100B tokens. No run had a teacher with a loss below 1.895: there the "
        "curve is thin and its band pale.",
        "student-against-teacher busbridge.nc --params 1B --tokens 100B --teacher-loss 1.7,2.6",
    ),
    Example(
        "teachers",
        "Teachers to choose from",
        "Four teachers for a 546M student on 20B tokens, and no teacher at all. The strongest is "
        "not the best. With `--budget` and `--scenario` in place of `--tokens` a teacher that "
        "costs more leaves the student fewer tokens.",
        "teachers busbridge.nc --params 546M --tokens 20B --teachers teachers.csv",
    ),
    Example(
        "capacity-gap-map",
        "Capacity-gap map",
        "Students for which a teacher of loss 2.0 is already too strong: below and left of the "
        "lines a slightly stronger teacher makes the student worse.",
        "capacity-gap-map busbridge.nc --teacher-loss 2.0",
    ),
    Example(
        "recipe-against-budget",
        "Recipe against budget",
        "How to spend a budget on a 1B student whose teacher has to be trained and run as well. "
        "The teacher's size and the shares are known well up to 1e23 FLOPs and badly above.",
        "recipe-against-budget busbridge.nc --params 1B --budget 1e20,1e25",
    ),
    Example(
        "recipe-best-case",
        "Recipe with a free teacher",
        "A teacher that costs nothing leaves all of the budget to the student; what is left to "
        "choose is the teacher's loss.",
        "recipe-against-budget busbridge.nc --params 1B --budget 1e20,1e24 --scenario best-case",
    ),
    Example(
        "distillation-against-supervised",
        "Distillation against supervised training",
        "A 546M student. Distillation from a free teacher gives a lower loss at every budget "
        "shown; from a teacher that is trained for this student alone, it does so only above "
        "the upright band.",
        "distillation-against-supervised busbridge.nc --params 546M --budget 1e19,1e24",
    ),
    Example(
        "isoflop-profiles",
        "IsoFLOP profiles",
        "Chinchilla's runs: the size of model that makes the best use of a training budget, "
        "with the interval of that size.",
        "isoflop-profiles hoffmann.nc --budget 1e19,1e20,1e21 --flops 6nd",
    ),
    Example(
        "isoflop-profiles-distilled",
        "IsoFLOP profiles under a teacher",
        "The same for students of a free teacher with loss 1.8953, the strongest of the runs.",
        "isoflop-profiles busbridge.nc --budget 1e20,1e21,1e22 --teacher-loss 1.8953",
    ),
    Example(
        "observed-against-predicted",
        "Observed against predicted",
        "The runs with a loss above 2.3 were fitted; the others are shown as well. Diamonds lie "
        "outside the range of the fitted runs, triangles inside it.",
        "observed-against-predicted smaller.nc --runs busbridge2025",
    ),
    Example(
        "coefficients-against-published",
        "Coefficients against published values",
        "Each coefficient's posterior, with the published value below it. The runs do not "
        "identify most coefficients of the law, and the published intervals of A', B', beta' "
        "and c1 are far too narrow.",
        "coefficients-against-published busbridge.nc",
    ),
    Example(
        "trade-off-pairs",
        "Coefficients that trade off",
        "Coefficients that the runs determine only together: A', alpha' and gamma', and c1 with "
        "d1. A change of one is made up for by the others, so that hardly any "
        "is identified alone.",
        "trade-off-pairs busbridge.nc",
    ),
    Example(
        "prior-against-posterior",
        "Prior and posterior",
        "Each sampled coordinate before and after the fit. The table holds no supervised runs, "
        "so that the coordinates of supervised training (the first six) are not identified.",
        "prior-against-posterior busbridge.nc",
    ),
    Example(
        "next-run-map",
        "The next run",
        "How much one more run would reduce the variance of alpha. Students of sizes between "
        "those of the runs, trained on many tokens, would reduce it most.",
        "next-run-map busbridge.nc --coefficient alpha",
    ),
    Example(
        "coverage",
        "Coverage of left-out runs",
        "Each of five student sizes left out in turn, from the validation that ships with the "
        "card. Above the diagonal bands are too wide, below it too narrow.",
        "coverage busbridge2025",
    ),
    Example(
        "coverage-by-factor",
        "Forecasts of dearer runs",
        "The runs of Hoffmann et al., fitted up to a part of the dearest one's compute and "
        "forecast above it, with the card `supervised`. The further a run lies beyond the fitted "
        "ones, the wider is its interval; of the last range there are three forecasts.",
        "coverage-by-factor compute.json",
    ),
    Example(
        "arms-along-compute",
        "Arms along compute",
        "Three training sets of Gadre et al. 2024 (`mlfoundations/scaling` on GitHub), judged on "
        "C4. C4 itself stays ahead; the other two are not told apart where their bands overlap.",
        "arms-along-compute arms.nc --params 6.7B --tokens 138B",
    ),
    Example(
        "reliability",
        "Reliability of the gap risk",
        "Pairs of teachers of left-out students. If the forecasts are right, the stronger "
        "teacher gives the worse student in 80% of the pairs for which its probability was "
        "forecast as 80%.",
        "reliability busbridge2025",
    ),
    Example(
        "ranks",
        "Ranks of a calibration study",
        "The card for distilled runs on 200 simulated sweeps. If its posteriors are right, the "
        "curves stay inside the grey bands.",
        "ranks calibration.json",
    ),
    Example(
        "registered-forecasts",
        "Registered forecasts over time",
        "The share of each forecast below the loss that came. In the first year too many losses "
        "lay near the ends: intervals were too narrow. From then on they hold what they state.",
        "registered-forecasts scores.json",
    ),
    Example(
        "prior-predictive",
        "Prior predictive check",
        "Under the prior, losses like the measured ones are likely, and losses that no run "
        "could have are rare. ArviZ draws this plot, the next one, the LOO-PITs and the "
        "power-scaling.",
        "prior-predictive busbridge.nc",
    ),
    Example(
        "posterior-predictive",
        "Posterior predictive check",
        "Tables of runs that are replicated from the fit have losses like the measured ones.",
        "posterior-predictive busbridge.nc",
    ),
    Example(
        "predictive-quantities",
        "Signs of a wrong law",
        "Trends and patterns of the residuals, the largest residual, and the share of students "
        "with a lower loss than their teachers: in replicated tables of runs, and in the "
        "measured one.",
        "predictive-quantities busbridge.nc",
    ),
    Example(
        "loo-pit",
        "LOO-PIT",
        "The place of each run in its predictive distribution given the other runs. The curve "
        "is flat if the predictive bands are right.",
        "loo-pit busbridge.nc",
    ),
    Example(
        "power-scaling",
        "Sensitivity by power-scaling",
        "The three answers that depend most on the prior, with the prior, or the likelihood, "
        "raised to the powers 0.95 and 1.05.",
        "power-scaling hoffmann.nc",
    ),
)


def page() -> str:
    """The text of docs/gallery.md."""
    return HEAD.format(teachers=TEACHERS) + "".join(_section(example) for example in EXAMPLES)


def _section(example: Example) -> str:
    return (
        f"\n## {example.title}\n\n{_wrapped(example.caption)}\n\n"
        + ("<!-- real data -->\n" if "--runs busbridge2025" in example.command else "")
        + "```sh\n"
        f"bayes-distill plot {example.command} --out {example.name}.png\n```\n\n"
        f"![{example.title}](gallery/{example.name}.png)\n"
    )


def _wrapped(text: str, width: int = 118) -> str:
    import textwrap

    return textwrap.fill(text, width)


def commands(fits: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    """Names of examples and the arguments that draw them, with `fits` for the page's files."""
    for example in EXAMPLES:
        words = [fits.get(word, word) for word in shlex.split(example.command)]
        yield (
            example.name,
            ["plot", *words, "--out", str(FOLDER / f"{example.name}.png"), "--quiet"],
        )


def main() -> int:
    """Draw the examples, and write the page."""
    from bayes_distill.cli.main import run

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", default="busbridge.nc", help="fit of busbridge2025")
    parser.add_argument("--smaller", default="smaller.nc", help='its fit with --where "loss > 2.3"')
    parser.add_argument("--hoffmann", default="hoffmann.nc", help="fit of hoffmann2022")
    parser.add_argument("--calibration", default="calibration.json", help="of distillation")
    parser.add_argument("--scores", default="scores.json", help="of registered forecasts")
    parser.add_argument("--compute", default="compute.json", help="validation along compute")
    parser.add_argument("--arms", default="arms.nc", help="fit of arms")
    parser.add_argument("--only", nargs="*", help="names of examples; by default all")
    arguments = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    fits = {
        "busbridge.nc": arguments.data,
        "smaller.nc": arguments.smaller,
        "hoffmann.nc": arguments.hoffmann,
        "calibration.json": arguments.calibration,
        "scores.json": arguments.scores,
        "compute.json": arguments.compute,
        "arms.nc": arguments.arms,
    }
    with tempfile.TemporaryDirectory() as folder:
        shelf = Path(folder) / "teachers.csv"
        shelf.write_text(TEACHERS, encoding="utf-8")
        for name, words in commands(fits | {"teachers.csv": str(shelf)}):
            if (not arguments.only or name in arguments.only) and (status := run(words)) != 0:
                return status
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
