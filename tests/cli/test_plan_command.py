"""``bayes-distill plan``: flags, JSON, exit status, what goes where."""

from __future__ import annotations

import pytest

from studies import PLAN_ROW

FAST = ("--draws", "20", "--no-crossovers")
STUDENT = ("--params", "1B", "--budget", "1e21")
BOTH = "teacher-pretraining-and-inference"
UNKNOWNS = {"student_tokens", "teacher_params", "teacher_tokens", "teacher_loss"}


@pytest.fixture
def rows(command, scattered_file):
    """Rows of a plan that must succeed, as JSON."""

    def call(*arguments, params=("--params", "1B"), budget="1e21"):
        answer = command(
            "plan", scattered_file, *params, "--budget", budget, *FAST, *arguments, "--json"
        )
        assert answer.status == 0, answer.err
        return answer.json["rows"]

    return call


@pytest.fixture
def refused(command, scattered_file, workplace):
    """The error line of a plan that must be refused."""

    def call(*arguments):
        answer = command("plan", scattered_file, *arguments, *FAST, "--json")
        assert answer.status == 2
        assert answer.out == ""
        assert len(answer.err.splitlines()) == 1
        assert list(workplace.iterdir()) == []
        return answer.error

    return call


def test_json_to_the_letter(command, scattered_file):
    answer = command(
        "plan",
        scattered_file,
        *STUDENT,
        "--scenario",
        f"supervised,best-case,{BOTH}",
        "--draws",
        "20",
        "--json",
    )
    assert answer.status == 0
    content = answer.json
    assert set(content) >= {"rows", "crossovers"}
    assert [r["scenario"] for r in content["rows"]] == ["supervised", "best-case", BOTH]
    for r in content["rows"]:
        assert set(r) >= PLAN_ROW
        assert (r["budget"], r["params"]) == (1e21, 1e9)
        assert set(r["recipe"]) >= UNKNOWNS
        assert set(r["optimum"]) >= UNKNOWNS
        assert all(set(v) == {"median", "lower", "upper"} for v in r["optimum"].values())
        assert set(r["shares"]) >= {"student", "logits", "teacher"}
        assert set(r["loss"]) >= {"mean", "lower", "upper"}
        assert set(r["regret"]) >= {"mean", "upper"}
    stops = [r for r in content["crossovers"] if r["direction"] == "better_below"]
    assert [(r["scenario"], r["params"]) for r in stops] == [
        ("best-case", 1e9),
        (BOTH, 1e9),
    ]
    for r in content["crossovers"]:
        assert set(r["budget"]) == {"median", "lower", "upper"}
        assert 0 <= r["p_none"] <= 1
    # notes are for people: on stderr, and among the JSON
    notes = [line for line in answer.err.splitlines() if line.startswith("note: ")]
    assert len(notes) == len(answer.err.splitlines()) == len(content["notes"]) == 3


def test_quiet_says_nothing(command, scattered_file):
    answer = command(
        "plan", scattered_file, *STUDENT, *FAST, "--scenario", "supervised", "--json", "--quiet"
    )
    assert answer.err == ""
    assert answer.json["crossovers"] == []


def test_tables_for_people(command, scattered_file, workplace):
    (workplace / "teachers.csv").write_text("name,loss,params,tokens\nold,2.1,1e9,3e10\n")
    answer = command(
        "plan",
        scattered_file,
        *STUDENT,
        "--scenario",
        f"supervised,{BOTH}",
        "--draws",
        "20",
        "--target-loss",
        "2.4",
        "--teachers",
        "teachers.csv",
    )
    assert answer.status == 0
    for title in (
        "Recipes, best over the whole posterior: 1B student, 1e21 FLOPs",
        f"of the draws): {BOTH}, 1B student",
        "Which budgets distilling is better at",
        "To reach a loss of 2.4",
        "Your teachers",
        "old",
    ):
        assert title in answer.out
    # those that can be had come first, and the recipe of any teacher is not taken for them
    assert answer.out.startswith("old is your only teacher for a")
    assert answer.out.index("Were any teacher to be had:") < answer.out.index("Recipes, best")


def test_a_card_with_point_coefficients_can_be_planned_with(command):
    for card in ("busbridge2025-table6-repaired", "busbridge2025-table6"):
        answer = command("plan", card, *STUDENT, "--scenario", BOTH, "--no-crossovers", "--json")
        assert answer.status == 0
        assert answer.json["rows"][0]["regret"]["mean"] < 1e-9
        assert "not a certainty" in answer.err


def test_limits(rows):
    few = rows("--scenario", BOTH, "--max-tokens", "10B", budget="1e22")[0]["recipe"]
    assert few["student_tokens"] <= 1e10
    limits = ("--max-teacher-tokens", "20B", "--max-teacher-params", "1B")
    small = rows("--scenario", BOTH, *limits)[0]["recipe"]
    assert small["teacher_tokens"] <= 2e10
    assert small["teacher_params"] <= 1e9
    menu = rows("--scenario", BOTH, "--teacher-sizes", "500M,3B")[0]["recipe"]
    assert menu["teacher_params"] in (pytest.approx(5e8), pytest.approx(3e9))


def test_tokens_that_exist_can_be_seen_again(rows):
    available = ("--scenario", BOTH, "--available-tokens", "10B")
    once, often = (rows(*available, *more, budget="1e22")[0] for more in ((), ("--epochs", "4")))
    for r, most in ((once, 1e10), (often, 4e10)):
        assert r["recipe"]["student_tokens"] == pytest.approx(most)
        assert r["recipe"]["teacher_tokens"] <= most * (1 + 1e-9)
    assert often["loss"]["mean"] < once["loss"]["mean"]
    capped = rows(*available, "--epochs", "4", "--max-tokens", "20B", budget="1e22")[0]
    assert capped["recipe"]["student_tokens"] == pytest.approx(2e10)


def test_other_counts_shares_and_criteria(rows):
    plain = rows("--scenario", "supervised", "--flops", "6nd")[0]
    assert plain["recipe"]["student_tokens"] == pytest.approx(1e21 / 6e9)
    shared = rows("--teacher-share", "0.25", "--logits-share", "1")[0]
    assert shared["scenario"] == "teacher 0.25, logits 1"
    whole = rows("--scenario", BOTH)[0]
    assert shared["loss"]["mean"] < whole["loss"]["mean"]
    assert rows("--teacher-share", "1")[0]["shares"]["logits"] == 0
    careful = rows("--scenario", BOTH, "--criterion", "quantile:0.9")[0]
    assert rows("--scenario", BOTH, "--utility", "quantile:0.9")[0] == careful
    assert careful["loss"]["mean"] >= whole["loss"]["mean"] - 1e-9


def test_a_target_and_tokens_to_serve(command, rows, scattered_file):
    answer = command(
        "plan",
        scattered_file,
        *STUDENT,
        *FAST,
        "--scenario",
        "best-case",
        "--target-loss",
        "2.4",
        "--json",
    )
    target = answer.json["targets"][0]
    assert 0 < target["budget"]["lower"] <= target["budget"]["upper"]
    assert target["student_tokens"]["p_unreachable"] == 0
    served = rows("--scenario", "supervised", "--serve-tokens", "100B")[0]
    assert served["shares"]["serving"] == pytest.approx(1 - served["shares"]["student"])
    little, much = (
        rows("--scenario", "supervised", "--serve-tokens", tokens, params=(), budget="1e22")[0]
        for tokens in ("1", "10T")
    )
    assert little["params"] > 2 * much["params"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--params", "1B"), ["--budget: is needed"]),
        (("--params", "7", "--budget", "1e21"), ["--params: ", "7B"]),
        (("--params", "1B", "--budget", "1e10"), ["--budget: ", "the least that can is"]),
        ((*STUDENT, "--scenario", "bestcase"), ["--scenario: ", "there are supervised"]),
        ((*STUDENT, "--teacher-share", "-1"), ["--teacher-share: ", "between 0 and 1"]),
        ((*STUDENT, "--logits-share", "x"), ["--logits-share: ", "'x' is not a number"]),
        ((*STUDENT, "--teacher-share", "1", "--scenario", BOTH), ["--scenario: give either"]),
        (
            (*STUDENT, "--max-teacher-params", "1B", "--teacher-sizes", "2B,3B"),
            ["--teacher-sizes: none lies between"],
        ),
        ((*STUDENT, "--max-tokens", "1e5"), ["min_tokens", "1e+06 is above"]),
        ((*STUDENT, "--utility", "quantile"), ["--utility: ", "quantile:0.9"]),
        ((*STUDENT, "--criterion", "quantile"), ["--criterion: ", "quantile:0.9"]),
        (
            (*STUDENT, "--criterion", "mean", "--utility", "mean"),
            ["--criterion: give either --criterion or --utility"],
        ),
        ((*STUDENT, "--workers", "none"), ["--workers: ", "'none' is not a whole number"]),
        (
            (*STUDENT, "--workers", "2", "--scheduler", "tcp://127.0.0.1:1"),
            ["--workers: give either"],
        ),
        ((*STUDENT, "--at", "gone.csv"), ["gone.csv", "--at: give either a table or"]),
        ((*STUDENT, "--flops", "6n"), ["--flops: ", "eq69 or 6nd"]),
        ((*STUDENT, "--serve-tokens", "0"), ["--serve-tokens: "]),
        ((*STUDENT, "--serve-tokens", "1e20"), ["--budget: ", "serve 1e+20 tokens"]),
        ((*STUDENT, "--epochs", "none"), ["--epochs: "]),
        ((*STUDENT, "--teachers", "gone.csv"), ["gone.csv"]),
    ],
)
def test_nonsense_gets_one_line_that_says_what_would_do(refused, arguments, named):
    error = refused(*arguments)
    for part in named:
        assert part in error


def test_every_bad_flag_is_named_at_once(refused):
    error = refused(
        "--params",
        "7",
        "--budget",
        "-1",
        "--utility",
        "worst",
        "--flops",
        "2n",
        "--epochs",
        "0",
        "--max-tokens",
        "many",
        "--seed",
        "x",
        "--interval",
        "90",
        "--target-loss",
        "0",
        "--serve-tokens",
        "-1",
        "--teacher-share",
        "2",
    )
    for flag in (
        "params",
        "budget",
        "utility",
        "flops",
        "epochs",
        "max-tokens",
        "seed",
        "interval",
        "target-loss",
        "serve-tokens",
        "teacher-share",
    ):
        assert error.count(f"--{flag}: ") == 1


def test_a_list_of_teachers_without_losses(command, scattered_file, workplace):
    (workplace / "teachers.csv").write_text("name,params\nold,1e9\n")
    answer = command("plan", scattered_file, *STUDENT, *FAST, "--teachers", "teachers.csv")
    assert answer.status == 2
    assert "a teacher without a loss cannot be judged" in answer.error
    (workplace / "teachers.csv").write_text("name,loss\nold,2.1\n")
    answer = command(
        "plan", scattered_file, *STUDENT, *FAST, "--teachers", "teachers.csv", "--scenario", BOTH
    )
    assert answer.status == 2
    assert "row 0, params" in answer.error
    assert "row 0, tokens" in answer.error


def test_a_table_of_plans(command, scattered_file, workplace, rows):
    (workplace / "at.csv").write_text(
        f"params,budget,scenario\n1B,1e21,{BOTH}\n3B,1e22,best-case\n"
    )
    answer = command("plan", scattered_file, "--at", "at.csv", *FAST, "--json")
    assert answer.status == 0
    planned = [(r["params"], r["budget"], r["scenario"]) for r in answer.json["rows"]]
    assert planned == [(1e9, 1e21, BOTH), (3e9, 1e22, "best-case")]
    single = rows("--scenario", BOTH)[0]
    assert answer.json["rows"][0]["loss"]["mean"] == pytest.approx(single["loss"]["mean"])
    (workplace / "at.csv").write_text("params,budget\n1B,x\n-2,1e22\n")
    answer = command("plan", scattered_file, "--at", "at.csv", *FAST)
    assert answer.status == 2
    assert "row 0, budget: 'x' is not a number" in answer.error
    assert "row 1, params: -2 is not a positive number" in answer.error


def test_a_budget_that_pays_for_nothing_is_said_and_the_others_are_planned(command, scattered_file):
    call = ("plan", scattered_file, "--params", "1B", "--budget", "1e10,1e21", *FAST)
    answer = command(*call, "--scenario", BOTH, "--json")
    assert answer.status == 0
    without, planned = answer.json["rows"]
    assert without["problem"].startswith("1e+10 FLOPs cannot pay for a student")
    assert without["recipe"] == dict.fromkeys(UNKNOWNS)
    assert planned["problem"] is None
    shown = command(*call, "--scenario", BOTH)
    assert shown.status == 0
    assert f"no recipe, {BOTH}: 1e+10 FLOPs cannot pay for a student" in shown.out


def test_finished_plans_are_stored_and_the_rest_is_made_by_two(command, scattered_file, workplace):
    call = ("plan", scattered_file, *STUDENT, "--scenario", f"supervised,{BOTH}", *FAST, "--json")
    plain = command(*call)
    stored = command(*call, "--resume", "parts", "--workers", "2")
    assert plain.status == stored.status == 0
    assert stored.json == plain.json
    assert len(list((workplace / "parts").iterdir())) == 2
    assert command(*call, "--resume", "parts").json == plain.json
