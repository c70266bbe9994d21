import pandas as pd

from bayes_distill.runs import read_runs
from bayes_distill.runs.corrections import OUTLIERS, SWAPPED_ROWS, WITHOUT_OUTLIERS


def test_the_swapped_sizes_of_busbridge_are_put_right_openly(real_data):
    extracted = pd.read_parquet(real_data / "busbridge2025_distillation.parquet")
    runs = read_runs("busbridge2025")
    changed = runs.frame["params"] != extracted["NS"]
    assert runs.frame.index[changed].tolist() == list(SWAPPED_ROWS)
    rows = list(SWAPPED_ROWS)
    assert runs.frame["params"][rows].tolist() == [4.82e9] * 3 + [7.75e9] * 3
    for ours, theirs in (("tokens", "DS"), ("loss", "LS"), ("teacher_loss", "LT")):
        assert runs.frame[ours].tolist() == extracted[theirs].tolist()
    (note,) = [n for n in runs.notes if n.startswith("Corrected")]
    assert "348 to 353" in note
    assert "`corrections=False`" in note


def test_corrections_can_be_refused(real_data):
    extracted = pd.read_parquet(real_data / "busbridge2025_distillation.parquet")
    runs = read_runs("busbridge2025", corrections=False)
    assert runs.frame["params"].tolist() == extracted["NS"].tolist()
    assert any(n.startswith("No correction is applied") for n in runs.notes)
    assert runs.fingerprint != read_runs("busbridge2025").fingerprint


def test_a_file_given_by_its_path_is_not_corrected_but_recognised(real_data):
    runs = read_runs(real_data / "busbridge2025_distillation.parquet")
    assert runs.fingerprint == read_runs("busbridge2025", corrections=False).fingerprint
    assert any("is the named data busbridge2025" in n for n in runs.notes)


def test_the_condition_drops_exactly_the_five_highest_losses_of_hoffmann(real_data):
    runs = read_runs("hoffmann2022")
    others = runs.where(WITHOUT_OUTLIERS)
    assert len(others) == 240
    dropped = set(runs.frame.index) - set(others.frame.index)
    assert dropped == set(OUTLIERS) == set(runs.frame["loss"].nlargest(5).index)
    assert any(WITHOUT_OUTLIERS in n for n in runs.notes)
