import pytest

from bayes_distill.errors import BayesDistillError, Fault, InputError


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault("is empty"), "is empty"),
        (Fault("is empty", row=0), "row 0: is empty"),
        (Fault("is empty", column="loss"), "loss: is empty"),
        (Fault("is empty", row=3, column="loss"), "row 3, loss: is empty"),
    ],
)
def test_a_fault_says_where_it_is(fault, text):
    assert str(fault) == text


def test_an_input_error_names_every_fault_in_order():
    error = InputError([Fault("is empty", 3, "loss"), "there is no such file"])
    assert error.faults == (Fault("is empty", 3, "loss"), Fault("there is no such file"))
    assert str(error) == "row 3, loss: is empty; there is no such file"
    assert isinstance(error, BayesDistillError)
    assert isinstance(error, ValueError)


@pytest.mark.parametrize("one", ["is wrong", Fault("is wrong")])
def test_one_fault_needs_no_list(one):
    assert InputError(one).faults == (Fault("is wrong"),)


def test_an_input_error_without_faults_is_a_bug():
    with pytest.raises(TypeError):
        InputError([])
