"""The table: what is typed, how the error line begins, what may change; all exit with status 2.

Words between braces stand for texts that a shell would not pass on easily; see `TEXTS`.
"""

from __future__ import annotations

from typing import NamedTuple

from hostile_damage import DAMAGES

AT = "--params 1e9 --tokens 2e10 --teacher-loss 2.1"
TEXTS = {
    "{nul}": "a\0b.csv",
    "{long}": "x" * 5000,
    "{long.csv}": "x" * 5000 + ".csv",
    "{long.nc}": "x" * 5000 + ".nc",
    "{escape}": "\x1b[31mred\x07.csv",
    "{surrogate}": "\udcff.csv",
    "{digits}": "9" * 5000,
    "{grid}": ",".join(f"{i}e6" for i in range(1, 10_002)),
    "{many}": ",".join(f"{i}e9" for i in range(1, 10_002)),
}


class Case(NamedTuple):
    """One call."""

    typed: str
    begins: str
    """How the error line begins; text behind ``...`` comes later in it."""
    changes: tuple[str, ...] = ()


CONDITIONS = {
    "loss.to_csv.__globals__['sys'].modules['os'].system('touch ran') == 0": "function 'system'",
    "loss.to_csv('ran')": "function 'to_csv'",
    "__import__('os').system('touch ran') == 0": "function 'system'",
    "().__class__.__base__.__subclasses__()": "function '__subclasses__'",
    "(lambda: open('ran', 'w'))() > 1": "only a name is called",
    "[open('ran', 'w') for x in (1, 2)] == loss": "a loop is not allowed",
    "open('ran', 'w') == loss": "function 'open'",
    "@pd.eval('1') > loss": "invalid syntax",
    "`loss` > `open`": "there is no 'open'",
    "9**9**9 > 1": "a power is beyond 100",
    "loss > 2 ** 2 ** 2 ** 9": "a power is beyond 100",
    "loss > 1e999": "a number is too large",
    "loss[0] > 1": "an index in brackets is not allowed",
    "loss.values > 1": "a dot behind a name is not allowed",
    "f'{loss}' == group": "an f-string is not allowed",
    "'%999999999d' % row == group": "arithmetic is for numbers",
    "group * 999999999 == group": "arithmetic is for numbers",
    "(loss := 3) > 2": ":= is not allowed",
    "loss if loss > 2 else 3": "if is not allowed",
    "loss in (x for x in (1, 2))": "behind in stands a list",
    "loss == None": "None is not allowed",
    "loss > 1j": "1j is not allowed",
    "b'a' == group": "b'a' is not allowed",
    "loss is 3": "'is' is not allowed",
    "los > 2": "there is no 'los'",
    "loss >": "invalid syntax",
    "isna(loss, loss)": "isna takes 1 argument",
    "group > 3": "Invalid comparison",
    "not loss": "and, or and not join conditions",
    "loss > 2; import os": "invalid syntax",
    "((((" * 60 + "loss": "too many nested parentheses",
    "not " * 500 + "(loss > 2)": "it is nested too deeply",
    "loss > 1" + " + 1" * 1500: "it has 6,008 characters",
    "loss in (" + "1," * 1500 + ")": "it has more than 1,000 parts",
}
WHERE = [
    Case(f"{command} --where {{{i}}}", f"the condition ...cannot be used (...{said}")
    for i, said in enumerate(CONDITIONS.values())
    for command in (
        ("fit runs.csv --out new.nc",)
        if i % 4
        else ("fit runs.csv --out new.nc", "validate runs.csv")
    )
]
TAILS = [
    Case(f"validate runs.csv --leave-out tail --tail {{{i}}}", "...cannot be used")
    for i in range(0, len(CONDITIONS), 4)
]
TEXTS |= {f"{{{i}}}": condition for i, condition in enumerate(CONDITIONS)}

WRITING = {
    "fit runs.csv --out": "nc",
    "validate runs.csv --out": "json",
    "report fit.nc --out": "html",
    "simulate good.toml --design paper --out": "csv",
    "compare fit.nc other.nc --stack": "nc",
    "calibrate good.toml --design paper --out": "json",
}
"""Commands that write, up to the flag that names the file, and its suffix."""
FIT = "fit runs.csv --out"
OUTPUTS = [
    # inputs
    Case("fit runs.csv --out runs.csv", "--out: runs.csv ends in .csv, and a posterior"),
    Case("fit runs.csv --out link.csv", "--out: link.csv ends in .csv"),
    Case("fit runs.csv --out hard.csv", "--out: hard.csv ends in .csv"),
    Case("fit runs.csv --model good.toml --out good.toml", "--out: good.toml ends in .toml"),
    Case("fit runs.csv --mapping map.toml --out map.toml", "--out: map.toml ends in .toml"),
    Case("fit runs.csv --supervised other.nc --out other.nc", "--out: other.nc is an input"),
    Case("fit runs.csv --supervised fit.nc --out hard.nc", "--out: hard.nc is an input"),
    Case("fit runs.csv --supervised ./fit.nc --out folder/../fit.nc", "--out: ...is an input"),
    Case(
        "simulate busbridge2025-plain --design paper --out runs.csv", "--out: runs.csv exists and"
    ),
    Case("design fit.nc --budget 1e20 --out runs.csv", "--out: runs.csv exists and holds runs"),
    Case("simulate busbridge2025-plain --design design.csv --out design.csv", "--out: design"),
    Case("simulate busbridge2025-plain --design runs.csv --out link.csv", "--out: link.csv is"),
    Case("simulate busbridge2025-plain --design runs.csv --out hard.csv", "--out: hard.csv is"),
    Case("simulate good.toml --design paper --out good.toml", "--out: good.toml must end in"),
    Case("validate runs.csv --out runs.csv", "--out: runs.csv ends in .csv, and results"),
    Case("validate runs.csv --model good.toml --out good.toml", "--out: good.toml ends in"),
    Case("compare fit.nc other.nc --stack fit.nc", "--stack: fit.nc is an input"),
    Case("compare fit.nc other.nc --stack other.nc", "--stack: other.nc is an input"),
    Case("compare fit.nc other.nc --stack hard.nc", "--stack: hard.nc is an input"),
    Case("report fit.nc --out fit.nc", "--out: fit.nc should end in .html"),
    Case("report fit.nc --plan plan.json --out plan.json", "--out: plan.json should end"),
    Case(
        "plot student-against-teacher fit.nc --out fit.nc",
        "--out: fit.nc ends in .nc: write .png",
    ),
    Case("plot coverage notes.json --out notes.json", "notes.json was not written"),
    Case("calibrate good.toml --design paper --out good.toml", "--out: good.toml ends in"),
    # files of another kind
    Case(f"{FIT} notes.nc", "--out: notes.nc exists and is not a posterior"),
    Case(f"{FIT} notes.txt", "--out: notes.txt ends in .txt, and a posterior is written"),
    Case(f"{FIT} fit.html", "--out: fit.html ends in .html"),
    Case(f"{FIT} link.nc", "--out: link.nc is an input"),
    Case("fit design.csv --out link.nc", "--out: link.nc exists and is not a posterior"),
    Case("validate runs.csv --out notes.json", "--out: notes.json exists and is not results"),
    Case("validate runs.csv --out plan.json", "--out: plan.json exists and is not results"),
    Case("validate runs.csv --out fit.nc", "--out: fit.nc ends in .nc"),
    Case("report fit.nc --out notes.html", "--out: notes.html exists and is not a report"),
    Case("report fit.nc --out link.html", "--out: link.html exists and is not a report"),
    Case("plot student-against-teacher fit.nc --out notes.png", "...notes.png exists and is not a"),
    Case("simulate good.toml --design paper --out notes.csv", "--out: notes.csv exists and is"),
    Case("compare fit.nc other.nc --stack notes.nc", "--stack: notes.nc exists and is not a"),
    Case("compare fit.nc other.nc --stack runs.csv", "--stack: runs.csv ends in .csv"),
    Case("calibrate good.toml --design paper --out notes.json", "--out: notes.json exists"),
    Case("calibrate good.toml --design paper --plot notes.png", "--plot: notes.png exists"),
    # no files
    *(
        Case(f"{command} {place}", said)
        for command, end in WRITING.items()
        for place, said in (
            (f"none/there.{end}", f"{command.split()[-1]}: the folder none does not exist"),
            (f"{'{long}'}.{end}", f"{command.split()[-1]}: ...File name too long"),
        )
    ),
    Case(f"{FIT} folder", "--out: folder is a folder"),
    Case(f"{FIT} pipe.nc", "--out: pipe.nc is a device or a pipe"),
    Case(f"{FIT} /dev/null", "--out: /dev/null is a device or a pipe"),
    Case(f"{FIT} loop.nc", "--out: loop.nc cannot be written"),
    Case(f"{FIT} nowhere.nc", "--out: the folder ...none does not exist"),
    Case(f"{FIT} {{nul}}", "--out: ...cannot be written: ...embedded null"),
    Case(f"{FIT} full.nc", "--out: full.nc.unfinished holds files that are not of unfinished"),
    Case(f"{FIT} linked.nc", "--out: linked.nc.unfinished is a link"),
    Case("simulate good.toml --design paper --out pipe.csv", "--out: pipe.csv is a device"),
    Case("demo --out runs.csv", "--out: runs.csv cannot be made a folder"),
]
FITS = [
    Case(f"{command} bad/{name}.nc {rest}", f"...{said}")
    for name, (_, said) in DAMAGES.items()
    for command, rest in (("forecast", AT),)
] + [
    Case(f"{command} bad/{name}.nc {rest}", "bad/...is damaged: ")
    for name in ("nan-draw", "verdict-odd", "hull-empty", "reference-nan", "negative-scale")
    for command, rest in (
        ("risk", AT),
        ("plan", "--params 1e9 --budget 1e21"),
        ("report", "--out new.html"),
        ("predictive", ""),
        ("identify", ""),
        ("sensitivity", ""),
        ("compare fit.nc", ""),
        ("plot student-against-teacher", "--out new.png"),
    )
]
READ = [
    *(
        Case(f"forecast {name} {AT}", said)
        for name, said in (
            ("none.nc", "none.nc does not exist"),
            ("folder", "folder is a folder"),
            ("runs.csv", "runs.csv is not a file written by fit"),
            ("notes.nc", "notes.nc is not a file written by fit"),
            ("empty.nc", "empty.nc is not a file written by fit"),
            ("head.nc", "head.nc is not a file written by fit, or is damaged"),
            ("pipe.nc", "pipe.nc is a device or a pipe"),
            ("/dev/null", "/dev/null is a device"),
            ("loop.nc", "loop.nc cannot be read"),
            ("nowhere.nc", "nowhere.nc does not exist"),
            ("{nul}", "...cannot be read: ...embedded null"),
            ("{long.nc}", "...File name too long"),
            ("{escape}", "\\x1b[31mred\\x07.csv does not exist"),
            ("{surrogate}", "\\udcff.csv does not exist"),
        )
    ),
    *(
        Case(f"fit {name} --out new.nc", said)
        for name, said in (
            ("none.csv", "none.csv: there is no such file"),
            ("folder", "folder is a folder"),
            ("empty.csv", "empty.csv is empty"),
            ("fit.nc", "fit.nc has the suffix '.nc'"),
            ("nul.csv", "nul.csv is not a text file"),
            ("latin.csv", "latin.csv is not a text file"),
            ("parquet.parquet", "parquet.parquet cannot be read as Parquet"),
            ("deep.jsonl", "row 0: is not a JSON object"),
            ("twice.jsonl", "row 0: is not a JSON object ('params' is there twice)"),
            ("big-number.jsonl", "row 0: is not a JSON object"),
            ("no-object.jsonl", "row 0: is not a JSON object"),
            ("semicolons.csv", "semicolons.csv separates its columns by semicolons"),
            ("wide.csv", "params: the column is missing"),
            ("long-row.csv", "row 0: has 56 cells"),
            ("quotes.csv", "quotes.csv cannot be read as CSV"),
            ("long-cell.csv", "row 0, params: "),
            ("words.csv", "row 0, params: 'one' is not a number"),
            ("infinite.csv", "row 0, params: "),
            ("negative.csv", "row 0, params: "),
            ("control.csv", "row 1, loss: "),
            ("same.csv", "same.csv holds 30 runs that are 1 in size"),
            ("{nul}", "a\\x00b.csv: there is no such file"),
            ("{long.csv}", "...File name too long"),
        )
    ),
    *(
        Case(f"fit runs.csv --out new.nc --model {name}", said)
        for name, said in (
            ("none.toml", "model card none.toml does not exist"),
            ("folder", "there is no model card folder"),
            ("empty.toml", "model card empty.toml cannot be used"),
            ("deep.toml", "deep.toml is not valid TOML"),
            ("latin.toml", "model card latin.toml cannot be read"),
            ("members.toml", "model card members.toml cannot be used"),
            ("name.toml", "model card name.toml cannot be used; name: "),
            ("code.toml", "model card code.toml cannot be used; ...standard library"),
            ("code-2.toml", "model card code-2.toml cannot be used; "),
            ("law.toml", "model card law.toml cannot be used; law: "),
            ("sd-inf.toml", "model card sd-inf.toml cannot be used; priors.floor.sd: "),
            ("sd-nan.toml", "model card sd-nan.toml cannot be used; priors.floor.sd: "),
            ("sd-huge.toml", "model card sd-huge.toml cannot be used; priors.floor.sd: "),
            ("sd-tiny.toml", "model card sd-tiny.toml cannot be used; priors.floor.sd: "),
            ("sd-zero.toml", "model card sd-zero.toml cannot be used; priors.floor.sd: "),
            ("sd-negative.toml", "model card sd-negative.toml cannot be used; priors.floor.sd: "),
            ("reference.toml", "model card reference.toml cannot be used; reference.loss: "),
            ("reference-inf.toml", "model card reference-inf.toml cannot be used; reference."),
            ("{nul}", "there is no model card a\\x00b.csv"),
            ("{long}", "there is no model card xxx"),
        )
    ),
    *(
        Case(f"fit runs.csv --out new.nc --mapping {name}", said)
        for name, said in (
            ("none.toml", "--mapping: there is no file none.toml"),
            ("folder", "--mapping: folder cannot be read: Is a directory"),
            ("deep.toml", "--mapping: deep.toml is not valid TOML"),
            ("latin.toml", "--mapping: latin.toml cannot be read"),
            ("map.toml", "columns.params: no run has 'nothing'"),
            ("map-unknown.toml", "--mapping: map-unknown.toml cannot be used"),
            ("map-type.toml", "--mapping: map-type.toml cannot be used"),
            ("{nul}", "--mapping: ...cannot be read"),
            ("{long}", "--mapping: ...File name too long"),
        )
    ),
    *(
        Case(f"report fit.nc --out new.html --plan {name}", said)
        for name, said in (
            ("none.json", "--plan: none.json does not exist"),
            ("folder", "--plan: folder cannot be read: Is a directory"),
            ("list.json", "--plan: list.json is not the output of"),
            ("words.json", "--plan: words.json is not the output of"),
            ("deep.json", "--plan: deep.json is not the output of"),
            ("{nul}", "--plan: ...cannot be read"),
            ("{long}", "--plan: ...File name too long"),
        )
    ),
    *(
        Case(f"simulate busbridge2025-plain --design paper --out new.csv --coefficients {n}", s)
        for n, s in (
            ("none.json", "--coefficients: none.json cannot be read: No such file"),
            ("deep.json", "--coefficients: deep.json cannot be read"),
            ("list.json", "--coefficients: list.json must be an object"),
            ("folder", "--coefficients: folder cannot be read"),
        )
    ),
    *(
        Case(f"plot {kind} {name} --out new.png", said)
        for kind in ("coverage", "ranks")
        for name, said in (
            ("none.json", "none.json does not exist"),
            ("deep.json", "deep.json cannot be read as JSON"),
            ("list.json", "list.json was not written by"),
            ("folder", "folder cannot be read as JSON"),
        )
    ),
    *(
        Case(f"forecast fit.nc --at {name}", said)
        for name, said in (
            ("at-negative.csv", "row 0, tokens: "),
            ("at-words.csv", "row 0, tokens: "),
            ("at-lacking.csv", "tokens: the column is missing"),
            ("none.csv", "none.csv: there is no such file"),
            ("fit.nc", "fit.nc has the suffix '.nc'"),
        )
    ),
]
DESIGN = "design fit.nc --budget 1e20"
DESIGNS = [
    *(
        Case(f"{DESIGN} {flag} {name}", said)
        for flag in ("--pool", "--target")
        for name, said in (
            ("none.csv", "none.csv: there is no such file"),
            ("folder", "folder is a folder"),
            ("fit.nc", "fit.nc has the suffix '.nc'"),
            ("empty.csv", "empty.csv is empty"),
            ("at-negative.csv", "row 0, tokens: "),
            ("{nul}", "a\\x00b.csv: there is no such file"),
            ("{long.csv}", "...File name too long"),
        )
    ),
    Case("design fit.nc", "--budget: is needed"),
    Case("design fit.nc --budget nan", "--budget: "),
    Case("design none.nc --budget 1e20", "none.nc does not exist"),
    Case("design runs.csv --budget 1e20", "runs.csv is not a file written by fit"),
    Case("design deep.toml --budget 1e20", "...deep.toml is not valid TOML"),
    Case("design code.toml --budget 1e20", "model card code.toml cannot be used"),
    Case("design members.toml --budget 1e20", "model card members.toml cannot be used"),
    Case("design good.toml --budget 1", "--budget: 1 FLOPs pay for no run"),
    Case(
        f"{DESIGN} --decide '{{escape}}'", "--decide: '\\x1b[31mred\\x07.csv' is not a call of plan"
    ),
    Case(f"{DESIGN} --decide 'plan --budget {{digits}}'", "--decide: "),
    Case(f"{DESIGN} --decide 'plan --out x'", "--decide: a decision takes no 'out'"),
    Case(f"{DESIGN} --decide 'plan --budget 1e22' --target design.csv", "--decide: give either"),
    Case(f"{DESIGN} --cost '__import__(1)' --pool design.csv", "--cost: no cost '__import__(1)'"),
    Case(f"{DESIGN} --cost 'eq69**{{digits}}'", "--cost: the power of"),
    Case(f"{DESIGN} --batch 0 --reach 1e9", "--batch: ...--reach: "),
    Case(f"{DESIGN} --out runs.txt", "--out: runs.txt must end in .csv"),
    Case(f"{DESIGN} --pool design.csv --out design.csv", "--out: design.csv is an input"),
    Case(f"{DESIGN} --out notes.csv", "--out: notes.csv exists and is not a table"),
]
REGISTERS = [
    *(
        Case(f"{command} --register {name}", f"--register: {said}")
        for command in (
            f"forecast fit.nc {AT}",
            f"risk fit.nc {AT}",
            "plan fit.nc --params 1e9 --budget 1e21",
        )
        for name, said in (
            ("runs.csv", "runs.csv is not a register"),
            ("fit.nc", "fit.nc is not a register"),
            ("notes.json", "notes.json is not a register"),
            ("pipe.csv", "pipe.csv is a device or a pipe"),
            ("folder", "folder is a folder"),
            ("none/f.jsonl", "the folder none does not exist"),
            ("{nul}", "a\\x00b.csv cannot be written"),
        )
    ),
    *(
        Case(f"{command} {name} {rest}", said)
        for command, rest in (("score", "runs.csv"), ("verify", ""), ("verify", "--repair"))
        for name, said in (
            ("none.jsonl", "none.jsonl does not exist"),
            ("deep.jsonl", "deep.jsonl is not a register"),
            ("big-number.jsonl", "big-number.jsonl is not a register"),
            ("fit.nc", "fit.nc is not a register"),
            ("folder", "folder is a folder"),
            ("pipe.csv", "pipe.csv is a device or a pipe"),
            ("/dev/zero", "/dev/zero is a device or a pipe"),
            ("{nul}", "...cannot be read"),
            ("{long}", "...File name too long"),
            ("{escape}", "\\x1b[31mred"),
        )
    ),
    Case("score empty.csv runs.csv", "none of the 18 runs"),
    Case("score runs.csv none.csv --tolerance 9", "--tolerance: 9 is not between ...none.csv: "),
    Case("score runs.csv runs.csv --out runs.csv", "--out: runs.csv ends in .csv"),
    Case("verify empty.csv --head x", "--head: 'x' is no sha256"),
]
SEEDED = {
    "forecast fit.nc": AT,
    "risk fit.nc": AT,
    "plan fit.nc": "--params 1e9 --budget 1e21",
    "predictive fit.nc": "",
    "identify fit.nc": "",
    "sensitivity fit.nc": "",
    "report fit.nc": "--out new.html",
    "plot trade-off-pairs fit.nc": "--out new.png",
    "fit runs.csv": "--out new.nc",
    "validate runs.csv": "",
    "compare fit.nc other.nc": "",
    "simulate good.toml": "--design paper --out new.csv",
    "calibrate good.toml": "--design paper",
    "demo": "",
}
ENDLESS = [
    Case(f"{typed} {place}", f"...{place} ...it is a device or a pipe")
    for typed in (
        "report fit.nc --out new.html --plan",
        "simulate busbridge2025-plain --design paper --out new.csv --coefficients",
        "fit runs.csv --out new.nc --mapping",
        "plot coverage --out new.png",
        "plot ranks --out new.png",
    )
    for place in ("/dev/zero", "pipe.csv")
] + [
    Case("fit runs.csv --out new.nc --model pipe.toml", "model card pipe.toml ...a device or a"),
    Case("fit runs.csv --out ''", "--out: . is a folder"),
    Case("report fit.nc --out ''", "--out: . ...--out: . is a folder"),
]
NUMBERS = [
    *(
        Case(f"{command} {rest} --seed {seed}", f"...--seed: {said}")
        for command, rest in SEEDED.items()
        for seed, said in (("-1", "-1 is less than 0"),)
    ),
    Case(f"forecast fit.nc {AT} --seed 99999999999999999999", "--seed: 99999999999999999999 is"),
    Case(f"forecast fit.nc {AT} --seed {{digits}}", "--seed: '999"),
    *(
        Case(f"{command} --draws 0", "--draws: 0 is less than 1")
        for command in (
            f"forecast fit.nc {AT}",
            f"risk fit.nc {AT}",
            "design fit.nc --budget 1e21",
            "plan fit.nc --params 1e9 --budget 1e21",
        )
    ),
    *(
        Case(f"identify fit.nc --draws {number}", f"--draws: {number} is less than 25")
        for number in (0, 1, 24)
    ),
    Case(f"forecast fit.nc {AT} --interval nan", "--interval: nan is not between"),
    Case(f"forecast fit.nc {AT} --interval 1e999", "--interval: "),
    Case("forecast fit.nc --params {grid} --tokens {many}", "the lists make a grid of 100,020"),
    Case("forecast fit.nc --params {digits} --tokens 1e9", "--params: "),
    Case("forecast fit.nc --params 1e9999 --tokens 1e9", "--params: "),
    Case("forecast fit.nc --params nan --tokens 1e9", "--params: "),
    Case("forecast fit.nc --params -1 --tokens 1e9", "--params: "),
    Case("plan fit.nc --params {grid} --budget {many}", "...grid of "),
    Case("simulate good.toml --design paper --out new.csv --noise nan", "--noise: 'nan' is not a"),
    Case(
        "simulate busbridge2025-plain --design design.csv --out new.csv --noise 1e308",
        "--noise: 1e+308",
    ),
    # numbers that are no losses
    *(
        Case(
            f"{command} --params 1e9 --tokens 2e10 --teacher-loss {loss}",
            f"--teacher-loss: {float(loss):g} is no loss in nats per token (0.01 to 20)",
        )
        for command in ("forecast fit.nc", "risk fit.nc", "sensitivity fit.nc")
        for loss in ("1e-300", "0.0001", "21")
    ),
    *(
        Case(f"risk fit.nc {AT} --strongest {loss}", f"--strongest: {float(loss):g} is no loss")
        for loss in ("1e300", "1e-300", "21")
    ),
    Case(
        "forecast fit.nc --at at-small.csv",
        "row 0, teacher_loss: 1e-300 is no loss...; row 1, teacher_loss_se: 50 is",
    ),
    Case("plan fit.nc --params 1e9 --budget 1e21 --target-loss 1e300", "--target-loss: 1e+300 is"),
    *(
        Case(
            f"{command} --teachers wide-errors.csv",
            "...row 0, loss_se: 5 is no standard error "
            "of a loss of 2: it must be less; row 1, loss_se: 2 is no standard error",
        )
        for command in (f"risk fit.nc {AT}", "plan fit.nc --params 1e9 --budget 1e21")
    ),
    *(
        Case(f"{command} --workers {number}", f"...--workers: {number} is ...than")
        for command in ("plan fit.nc --params 1e9 --budget 1e21", "validate runs.csv")
        for number in (-1, 0, 99999999)
    ),
    *(
        Case(f"{command} --scheduler {place}", "...--scheduler: '...is no address of a Dask")
        for command in ("plan fit.nc --params 1e9 --budget 1e21", "validate runs.csv")
        for place in ("{escape}", "nowhere", "http://host:1", "tcp://host", "tcp://host:1;x")
    ),
    Case("plan fit.nc --params 1e9 --budget inf", "--budget: "),
    Case("fit runs.csv --out new.nc --chains 99999999999999999999", "--chains: "),
    Case("nonsense", "No such command"),
    Case("\x1b[31m", "No such command '\\x1b[31m'"),
    Case("fit", "Missing argument"),
    Case("forecast fit.nc --nonsense", "No such option"),
]
CASES = [*WHERE, *TAILS, *OUTPUTS, *FITS, *READ, *ENDLESS, *NUMBERS, *REGISTERS, *DESIGNS]
