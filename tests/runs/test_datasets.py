import hashlib
from pathlib import Path

import pytest

from bayes_distill.errors import InputError
from bayes_distill.runs import datasets
from bayes_distill.runs.datasets import DATASETS, Dataset, fetch, list_datasets

CONTENT = b"N,D,L\n1e9,2e10,2.5\n"


@pytest.fixture
def toy(monkeypatch, tmp_path) -> Dataset:
    """A named table that is downloaded from this machine's own disk."""
    upstream = tmp_path / "upstream.csv"
    upstream.write_bytes(CONTENT)
    toy = Dataset(
        name="toy",
        description="a toy",
        rows=1,
        file="toy.csv",
        size=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        url="https://example.org/toy.csv",
        source="here",
        licence="none",
    )
    monkeypatch.setattr(datasets, "DATASETS", {"toy": toy})
    monkeypatch.delenv("BAYES_DISTILL_DATA", raising=False)
    monkeypatch.setenv("BAYES_DISTILL_CACHE", str(tmp_path / "cache"))
    return toy


@pytest.fixture
def downloads(monkeypatch):
    """Stand in for the network: the addresses it is called with, and the bytes or error it has."""

    class Network:
        def __init__(self):
            self.urls = []
            self.gives = CONTENT

        def __call__(self, url, output_file, pooch, check_only=False):
            self.urls.append(url)
            if isinstance(self.gives, Exception):
                raise self.gives
            Path(output_file).write_bytes(self.gives)

    network = Network()
    monkeypatch.setattr("pooch.core.choose_downloader", lambda *a, **k: network)
    return network


def test_the_registry_names_what_upstream_publishes():
    assert list(DATASETS) == ["busbridge2025", "hoffmann2022"]
    assert list_datasets() == tuple(DATASETS.values())
    for dataset in list_datasets():
        assert dataset.url.startswith("https://raw.githubusercontent.com/")
        assert len(dataset.sha256) == 64
        assert dataset.to_json()["name"] == dataset.name


def test_a_table_is_downloaded_once(toy, downloads, tmp_path):
    path = fetch("toy")
    assert path == tmp_path / "cache" / "data" / "toy.csv"
    assert path.read_bytes() == CONTENT
    assert fetch("toy") == path
    assert downloads.urls == [toy.url]


@pytest.mark.parametrize("gives", [OSError("no route"), b"something else", ValueError("404")])
def test_a_failed_download_says_how_to_use_a_copy(toy, downloads, gives):
    downloads.gives = gives
    with pytest.raises(InputError, match=r"save it as toy\.csv in a folder and set") as caught:
        fetch("toy")
    assert len(caught.value.faults) == 1
    assert "BAYES_DISTILL_DATA" in str(caught.value)


def test_a_mirror_keeps_the_network_out(toy, downloads, tmp_path, monkeypatch):
    monkeypatch.setenv("BAYES_DISTILL_DATA", str(tmp_path / "mirror"))
    with pytest.raises(InputError, match="is no folder"):
        fetch("toy")
    (tmp_path / "mirror").mkdir()
    with pytest.raises(InputError, match=r"has no toy\.csv"):
        fetch("toy")
    (tmp_path / "mirror" / "toy.csv").write_bytes(CONTENT + b"\n")
    with pytest.raises(InputError, match="is not the published toy"):
        fetch("toy")
    (tmp_path / "mirror" / "toy.csv").write_bytes(CONTENT)
    assert fetch("toy") == tmp_path / "mirror" / "toy.csv"
    assert downloads.urls == []


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(InputError, match="did you mean busbridge2025"):
        fetch("busbridge")
    with pytest.raises(InputError, match="there are busbridge2025, hoffmann2022"):
        fetch("xyz")


def test_the_real_files_have_the_registered_size(real_data):
    for dataset in list_datasets():
        assert fetch(dataset.name).stat().st_size == dataset.size
