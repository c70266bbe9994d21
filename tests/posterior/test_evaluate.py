import numpy as np
import pytest

from bayes_distill.laws import LAWS, TABLE_6, Reference
from bayes_distill.posterior import evaluate

REFERENCE = Reference(params=5e8, tokens=2e10, loss=2.4)
LAW = LAWS["distillation"]


def draws(count):
    """Coordinates (count,) a few percent about table 6."""
    generator = np.random.default_rng(count)
    middle = LAW.from_published(TABLE_6, REFERENCE)
    return {
        k: float(v) * np.exp(0.03 * generator.standard_normal(count)) for k, v in middle.items()
    }


def points(count):
    generator = np.random.default_rng(1000 + count)
    params = np.exp(generator.uniform(np.log(1e8), np.log(1e11), count))
    tokens = params * np.exp(generator.uniform(np.log(5), np.log(500), count))
    return params, tokens, generator.uniform(1.8, 3.0, count)


def plainly(coordinates, params, tokens, teacher):
    """The law itself, all at once."""
    columns = {name: value[:, None] for name, value in coordinates.items()}
    return (
        np.asarray(LAW.supervised_loss(columns, params, tokens, REFERENCE)),
        np.asarray(LAW.distilled_loss(columns, params, tokens, teacher, REFERENCE)),
    )


@pytest.mark.parametrize("chunk", [1, 7, 64, 10_000])
@pytest.mark.parametrize("count", [1, 5, 65])
def test_chunks_give_what_the_law_gives(monkeypatch, chunk, count):
    monkeypatch.setattr(evaluate, "CHUNK", chunk)
    coordinates, (params, tokens, teacher) = draws(7), points(count)
    supervised, distilled = plainly(coordinates, params, tokens, teacher)
    found = evaluate.supervised_loss(LAW, coordinates, params, tokens, REFERENCE)
    assert found.shape == (7, count)
    np.testing.assert_allclose(found, supervised, rtol=1e-12)
    found = evaluate.distilled_loss(LAW, coordinates, params, tokens, teacher, REFERENCE)
    np.testing.assert_allclose(found, distilled, rtol=1e-12)


@pytest.mark.parametrize("chunk", [16, 10_000])
def test_teachers_may_differ_by_draw(monkeypatch, chunk):
    monkeypatch.setattr(evaluate, "CHUNK", chunk)
    coordinates, (params, tokens, teacher) = draws(7), points(11)
    by_draw = teacher * np.linspace(0.9, 1.1, 7)[:, None]
    _, expected = plainly(coordinates, params, tokens, by_draw)
    found = evaluate.distilled_loss(LAW, coordinates, params, tokens, by_draw, REFERENCE)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert not np.allclose(
        found, evaluate.distilled_loss(LAW, coordinates, params, tokens, teacher, REFERENCE)
    )


def test_no_points_give_no_losses():
    none = np.empty(0)
    assert evaluate.supervised_loss(LAW, draws(3), none, none, REFERENCE).shape == (3, 0)
    assert evaluate.distilled_loss(LAW, draws(3), none, none, none, REFERENCE).shape == (3, 0)


def test_many_points_of_many_draws_take_more_than_one_piece():
    coordinates = draws(4000)
    params, tokens, teacher = points(600)
    assert evaluate.CHUNK < 4000 * 600
    found = evaluate.distilled_loss(LAW, coordinates, params, tokens, teacher, REFERENCE)
    at = np.array([0, 511, 512, 599])
    some = {name: value[::500] for name, value in coordinates.items()}
    _, expected = plainly(some, params[at], tokens[at], teacher[at])
    np.testing.assert_allclose(found[::500][:, at], expected, rtol=1e-12)


def test_pieces_are_whole_in_order_and_within_memory(monkeypatch):
    monkeypatch.setattr(evaluate, "CHUNK", 100)
    monkeypatch.setattr(evaluate, "LEAST", 16)
    for count in (1, 2, 3, 16, 17, 33, 100):
        for n in (1, 3, 6, 99, 250):
            column = np.arange(count, dtype=float)
            covered = []
            for piece, (cut,) in evaluate._pieces(n, column):
                width = piece.stop - piece.start
                np.testing.assert_array_equal(cut[:width], column[piece])
                assert len(cut).bit_count() == 1
                assert n * len(cut) <= max(100, n)
                covered += range(piece.start, piece.stop)
            assert covered == list(range(count))


def test_few_programs_serve_every_number_of_points():
    """Points are padded to powers of two, from 64 on, so that 256 lengths make three programs."""
    coordinates = draws(13)
    before = len(evaluate._losses.programs)
    for count in range(1, 257):
        evaluate.distilled_loss(LAW, coordinates, *points(count), REFERENCE)
    assert len(evaluate._losses.programs) - before == 3


def test_another_reference_needs_no_other_program():
    coordinates, (params, tokens, teacher) = draws(17), points(5)
    evaluate.distilled_loss(LAW, coordinates, params, tokens, teacher, REFERENCE)
    before = len(evaluate._losses.programs)
    elsewhere = Reference(params=3e9, tokens=1e11, loss=0.7)
    evaluate.distilled_loss(LAW, coordinates, params, tokens, teacher, elsewhere)
    assert len(evaluate._losses.programs) == before


def test_a_supervised_law_has_no_students():
    law = LAWS["chinchilla"]
    with pytest.raises(TypeError, match="chinchilla law says nothing about teachers"):
        evaluate.distilled_loss(law, draws(2), *points(2), REFERENCE)


def test_draws_of_other_things_are_ignored():
    coordinates, (params, tokens, _) = draws(3), points(4)
    extra = {**coordinates, "scale": np.full(3, 0.1)}
    np.testing.assert_array_equal(
        evaluate.supervised_loss(LAW, extra, params, tokens, REFERENCE),
        evaluate.supervised_loss(LAW, coordinates, params, tokens, REFERENCE),
    )
