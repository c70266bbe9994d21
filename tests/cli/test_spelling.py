import ast
import re
from pathlib import Path

import pytest
import typer

import bayes_distill
from bayes_distill.cli.main import app
from bayes_distill.cli.output import error_line, json_text, say
from bayes_distill.cli.spelling import CODE, as_typed
from bayes_distill.errors import Fault

SOURCES = Path(bayes_distill.__file__).parent
PRINTED = ("cli", "pictures", "plots")  # these describe options: only what they raise counts
RAISES = ("Fault", "InputError", "FailedFitError")


@pytest.mark.parametrize(
    ("python", "typed"),
    [
        ("raise `draws`", "raise --draws"),
        ("`teacher_params` or `at`", "--teacher-params or --at"),
        ("use `served_tokens`", "use --serve-tokens"),
        ('use `model="supervised"`', "use --model supervised"),
        ("keep (`where='loss < 4'`)", "keep (--where 'loss < 4')"),
        ("keep `where=\"run == 'a'\"`", "keep --where \"run == 'a'\""),
        ("pass `allow_failed=True`", "pass --allow-failed"),
        ("with `corrections=False`", "with --no-corrections"),
        ("add `supervised=FIT`", "add --supervised FIT"),
        (
            'run `fit(RUNS, cut=True, model="joint").save("fit.nc")`',
            "run 'bayes-distill fit RUNS --cut --model joint --out fit.nc'",
        ),
        ('`fit("a.csv")`', "'bayes-distill fit a.csv'"),
        (
            '`stack([FIT, FIT]).save("s.nc")`',
            "'bayes-distill compare FIT FIT --stack s.nc'",
        ),
        ("of `plan(FIT).to_json()`", "of 'bayes-distill plan FIT --json'"),
    ],
)
def test_python_in_a_message_becomes_what_is_typed(python, typed):
    assert as_typed(python) == typed


@pytest.mark.parametrize("text", ["`two words`", "`a.b`", "`a, b`", "`f(x).g()`", "`", "`(`", "``"])
def test_what_is_no_argument_and_no_call_stays(text):
    assert as_typed(text) == text


def test_all_that_people_read_is_typed_and_data_are_not(capsys):
    error_line([Fault("goes with `leave_out`", column="tail"), "or `tail`"], {"tail"})
    say("note: `draws`")
    assert capsys.readouterr().err == (
        "error: --tail: goes with --leave-out; or --tail\nnote: --draws\n"
    )
    content = {"rows": [{"name": "`draws`"}], "notes": ["`draws`"], "checks": [{"advice": "`at`"}]}
    assert json_text(content).count("`draws`") == 1
    assert '"--draws"' in json_text(content)
    assert '"advice": "--at"' in json_text(content)


def test_no_message_of_the_library_names_a_flag():
    wrong = [(where, text) for where, text in _texts() if re.search(r"(?<![\w-])--[a-z]", text)]
    assert wrong == []


def test_every_argument_that_a_message_names_has_its_flag_and_every_call_its_command():
    root = typer.main.get_command(app)
    commands = getattr(root, "commands", {})
    assert "fit" in commands
    every = [*commands.values(), *(c for g in commands.values() for c in _inside(g))]
    flags = {option for command in every for p in command.params for option in p.opts}
    checked = 0
    for where, text in _texts():
        for code in CODE.findall(text):
            typed = as_typed(f"`{code}`")
            assert set(re.findall(r"--[\w-]+", typed)) <= flags | {"--no-corrections"}, (
                where,
                code,
            )
            if typed.startswith("'"):
                assert typed.split()[1].rstrip("'") in commands, (where, code)
            checked += 1
    assert checked > 20


def _inside(group: object) -> list[typer.core.TyperCommand]:
    return list(getattr(group, "commands", {}).values())


def _texts() -> list[tuple[str, str]]:
    """Every text in the library but docstrings and what describes options, with its place."""
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        folder = path.relative_to(SOURCES).parts[0]
        if folder == "cli":
            continue
        for node in _raised(tree) if folder in PRINTED else [tree]:
            found += [(f"{path.name}:{line}", text) for line, text in _strings(node)]
    return found


def _raised(tree: ast.AST) -> list[ast.AST]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISES
    ]


def _strings(tree: ast.AST) -> list[tuple[int, str]]:
    """Texts with their lines; what an f-string puts in is left out."""
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inside = {id(part) for node in joined for part in node.values}
    found = [
        (
            node.lineno,
            "".join(
                str(getattr(part, "value", "x")) if isinstance(part, ast.Constant) else "x"
                for part in node.values
            ),
        )
        for node in joined
    ]
    return found + [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in said | inside
        and not node.value.startswith("var(")
        and not node.value.startswith("<svg")
    ]
