from __future__ import annotations


def test_every_flag_at_fault_is_named_and_nothing_is_written(command, workplace):
    (workplace / "plan.json").write_text("[]", encoding="utf-8")
    answer = command(
        "report",
        "missing.nc",
        "--interval",
        "2",
        "--seed",
        "x",
        "--out",
        "page.txt",
        "--plan",
        "plan.json",
        "--json",
    )
    assert answer.status == 2
    assert answer.out == ""
    for words in ("missing.nc does not exist", "--interval", "--seed", "--out", "--plan"):
        assert words in answer.error
    assert [path.name for path in workplace.iterdir()] == ["plan.json"]


def test_the_page_goes_beside_the_call_under_the_name_of_the_fit(command, workplace):
    answer = command("report", "no/such/fit.nc", "--quiet")
    assert answer.status == 2
    assert "does not exist" in answer.error
    assert "--out" not in answer.error
