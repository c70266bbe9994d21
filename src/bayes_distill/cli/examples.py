"""Calls of each command that its ``--help`` ends with."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "check": (
        "check runs.csv",
        'check export.csv --columns "params=config.n*1e6,loss=val/loss"',
        "check export.csv --write-mapping mapping.toml",
    ),
    "fit": (
        "fit runs.csv --out fit.nc",
        "fit runs.csv --where 'tokens > 2 * params' --out fit.nc",
    ),
    "forecast": (
        "forecast fit.nc --params 1B,3B --tokens 100B",
        "forecast fit.nc --params 1B --tokens 100B --teacher-loss 1.9,2.0 --csv",
        "forecast fit.nc --params 7B --tokens 1T --register forecasts.jsonl",
    ),
    "risk": ("risk fit.nc --params 198M --tokens 4.9B --teacher-loss 1.9,2.1",),
    "plan": (
        "plan fit.nc --params 1B --budget 1e21,1e22 --scenario best-case",
        "plan fit.nc --params 1B --budget 1e22 --teachers teachers.csv",
        "plan fit.nc --budget '10000 GPU-hours' --device h100 --utilisation 0.4",
    ),
    "validate": (
        "validate runs.csv --leave-out compute",
        "validate runs.csv --leave-out params --workers 2 --resume refits",
    ),
    "accuracy": ("accuracy fit.nc runs.csv --column mmlu --chance 0.25 --params 7B --tokens 140B",),
    "arms": ('arms runs.csv --by mixture --at "params=7B,tokens=140B"',),
    "compare": ("compare supervised.nc plain.nc",),
    "plot": ("plot student-against-teacher fit.nc --out student.png", "plot --list"),
    "predictive": ("predictive fit.nc",),
    "sensitivity": ("sensitivity fit.nc",),
    "identify": ("identify fit.nc", "identify fit.nc --coefficient E"),
    "calibrate": ("calibrate supervised-plain --design chinchilla --replicates 100",),
    "design": (
        "design fit.nc --budget 5e20 --target targets.csv --pool candidates.csv --out runs.csv",
        "design fit.nc --budget 5e20 --decide 'plan --params 7B --budget 1e23'",
        "design supervised --budget 1e20 --batch 10",
    ),
    "update": ("update fit.nc more.csv --out new.nc",),
    "score": ("score forecasts.jsonl runs.csv", "score forecasts.jsonl runs.csv --out scores.json"),
    "verify": ("verify forecasts.jsonl", "verify forecasts.jsonl --repair"),
    "report": ("report fit.nc --out report.html",),
    "simulate": ("simulate distillation --design paper --coefficients table6 --out runs.csv",),
    "demo": ("demo",),
    "models list": ("models list",),
    "models show": ("models show supervised > card.toml",),
    "datasets list": ("datasets list",),
    "datasets fetch": ("datasets fetch hoffmann2022",),
}


def epilog(command: str) -> str:
    """The examples of a command, for the end of its help."""
    lines = [f"bayes-distill {line}" for line in EXAMPLES[command]]
    return "\n\n".join([f"Example{'s' if len(lines) > 1 else ''}:", *lines])
