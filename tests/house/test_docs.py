"""Every code block of the documentation, run as it is printed."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from bayes_distill.posterior import Posterior
from bayes_distill.runs import paper_design
from made_arms import made_up_arms
from printed_blocks import RUNNABLE, Block, PageRun, blocks, given, matched
from studies import random_scores, random_study, with_runs
from validations import made_up_validation

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if "_build" not in page.relative_to(DOCS).parts)
MOST_NOT_RUN = 9
DRAWS = (
    200  # of fits that pages draw pictures of: what is printed is the same, in a third of the time
)
COMMANDS = re.compile(r"^(\$|bayes-distill|pip|python|make|dask|import|from)\b", re.MULTILINE)
MAPPING = """
[columns]
params = "param:model.n_params"
tokens = { from = "metric:tokens_seen", scale = 1e9 }
loss = "metric:val/loss"
"""


def name(page: Path) -> str:
    return page.relative_to(DOCS).with_suffix("").as_posix()


def runs_here(block: Block) -> bool:
    return not {"not run", "run by"} & set(block.marks)


def has_blocks(page: Path) -> bool:
    return any(block.language in RUNNABLE and runs_here(block) for block in blocks(page))


def give(name: str, request: pytest.FixtureRequest) -> None:
    """Put a file that a page takes as given into the working folder."""
    if name in ("fit.nc", "hoffmann.nc"):
        shutil.copy(request.getfixturevalue("chinchilla").file, name)
    elif name == "runs.csv":
        shutil.copy(request.getfixturevalue("chinchilla").table, name)
    elif name in ("busbridge.nc", "smaller.nc"):
        with_runs(request.getfixturevalue("scattered").thin(DRAWS)).save(name)
    elif name == "calibration.json":
        random_study().save(name)
    elif name == "scores.json":
        random_scores().save(name)
    elif name == "compute.json":
        fit = request.getfixturevalue("chinchilla").posterior
        made_up_validation(fit, 0.6, leave_out="compute", factors=(3.0, 10.0)).save(name)
    elif name == "arms.nc":
        made_up_arms().save(name)
    elif name == "mlflow.db":
        shutil.copy(request.getfixturevalue("mlflow_store"), name)
    elif name == "mapping.toml":
        Path(name).write_text(MAPPING, encoding="utf-8")
    else:
        raise AssertionError(f"no test knows how to make {name}")


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if has_blocks(page)], ids=name)
def test_a_page_works_as_printed(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # as for Python that is started there
    for file in given(page):
        give(file, request)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    here, skipped, strange = PageRun(), [], []
    for block in blocks(page):
        if not runs_here(block):
            continue
        if "real data" in block.marks and not os.environ.get("BAYES_DISTILL_DATA"):
            skipped.append(str(block))
            continue
        try:
            printed = here.run(block)
        except Exception as error:
            raise AssertionError(f"{block}: {error}") from error
        strange += [
            f"{block}: nothing printed looks like {line!r}"
            for line, found in matched(block.shown, printed)
            if found is None
        ]
    assert strange == [], "\n".join(strange)  # python tests/renew_docs.py brings pages up to date
    if skipped:
        pytest.skip(f"ran, but for {', '.join(skipped)}: set BAYES_DISTILL_DATA to run these")


def test_a_page_is_given_as_many_runs_as_the_design_has(scattered: Posterior) -> None:
    """Crossed with their own index they are 123,904, which makes a page take minutes."""
    stored = with_runs(scattered).tree["runs"].dataset
    assert stored.sizes == {"run": len(paper_design())}


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    left = [b for page in PAGES for b in blocks(page) if "not run" in b.marks]
    assert [str(block) for block in left if len(block.marks["not run"]) < 10] == []
    assert len(left) <= MOST_NOT_RUN, [str(block) for block in left]


def test_blocks_that_another_test_runs_name_it() -> None:
    for page in PAGES:
        for block in blocks(page):
            if "run by" in block.marks:
                assert (DOCS.parent / block.marks["run by"]).is_file(), str(block)


def test_every_block_has_a_language_and_none_hides_in_a_list() -> None:
    for page in PAGES:
        for block in blocks(page):
            assert block.language, str(block)
        text = page.read_text(encoding="utf-8")
        fences = [line for line in text.splitlines() if line.lstrip().startswith("```")]
        assert [line for line in fences if line != line.lstrip()] == [], page.name


def test_no_command_hides_in_an_indented_block() -> None:
    """Formulas may be indented; what is run must be fenced, where it is found."""
    for page in [*PAGES, DOCS.parent / "README.md", DOCS.parent / "CONTRIBUTING.md"]:
        for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
            if token.type == "code_block":
                assert not COMMANDS.search(token.content), f"{page.name}: {token.content}"


def page_of(folder: Path, text: str) -> list[Block]:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return blocks(page)


def test_blocks_are_run_in_order_in_one_namespace(tmp_path: Path) -> None:
    first, second, output = page_of(
        tmp_path, "```python\nx = 4\n```\n\ntext\n\n```python\nprint(x)\n```\n\n```text\n4\n```\n"
    )
    here = PageRun()
    assert here.run(first) == ""
    assert here.run(second) == "4\n"
    assert list(matched(output.shown, here.run(output))) == [("4", "4")]


def test_commands_and_their_output_are_told_apart(tmp_path: Path) -> None:
    text = "```console\n$ printf 'a 1.5B\\nb 2\\nc\\n' \\\n  | cat\na 2.7B\n...\nx 2\n```\n"
    (block,) = page_of(tmp_path, text)
    assert block.commands == ["printf 'a 1.5B\\nb 2\\nc\\n' | cat"]
    found = list(matched(block.shown, PageRun().run(block)))
    assert found == [("a 2.7B", "a 1.5B"), ("x 2", None)]


def test_a_command_that_fails_is_told_and_one_that_should_must(tmp_path: Path) -> None:
    text = "```console\n$ bayes-distill fit nothing.csv\n```\n"
    (plain,) = page_of(tmp_path, text)
    with pytest.raises(AssertionError, match=r"nothing\.csv"):
        PageRun().run(plain)
    (marked,) = page_of(tmp_path, f"<!-- exit status: 2 -->\n\n{text}")
    assert "error:" in PageRun().run(marked)


def test_marks_belong_to_the_block_below_them_alone(tmp_path: Path) -> None:
    found = page_of(
        tmp_path,
        "<!-- not run: no cluster here -->\n```sh\nsbatch a\n```\n\n```sh\necho b\n```\n"
        "\n<!-- file: a.csv -->\n\nwords\n\n```text\nc\n```\n",
    )
    assert [block.marks for block in found] == [{"not run": "no cluster here"}, {}, {}]
