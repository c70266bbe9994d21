"""The NumPyro model: one function of (data, hyperparameters), for every card.

Everything inside counts from the reference point and is in units of the reference loss. What a
card states in words (families, which sites exist) is static, in `ModelSpec`; numbers are traced, so
that another data set or prior of the same shape needs no new compilation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
from jax import Array

from bayes_distill.cards.card import Card
from bayes_distill.cards.priors import FAMILIES
from bayes_distill.inference import joint_prior
from bayes_distill.inference.unlimited_data import gain_with_unlimited_data
from bayes_distill.laws import LAWS, Law, Reference, TeacherLaw
from bayes_distill.laws.discrepancy import OF_CONDITIONS, OF_SIZES
from bayes_distill.laws.smooth_discrepancy import (
    LOG_DISCREPANCY,
    STUDENT_LOG_DISCREPANCY,
    STUDENT_SMOOTH,
)
from bayes_distill.likelihoods import Likelihood
from bayes_distill.posterior.size_offsets import OFFSET

UNIT = Reference(1.0, 1.0, 1.0)
NO_GAIN = "no_gain"
OBSERVED = ("loss", NO_GAIN)
"""Sites of the model that are not sampled: losses, and what a card says of unlimited data."""


class Data(NamedTuple):
    """Runs relative to the reference, each an array (rows,), padded; `mask` marks real rows.

    A run without a teacher has NaN in all three teacher fields; a teacher without a measured
    loss has NaN in `teacher_loss` only. `teacher_loss_se` is its standard error, 0 if the table has
    none. `size`, `teacher` and `condition` are the groups of runs (`runs.grouping`), and `run` is
    the run that a checkpoint is of (`runs.checkpoints`), behind these where it is a run by itself.
    `unique_tokens` is that of the student, as many as `tokens` where none is repeated. `smooth`
    and `teacher_smooth`, by name (rows, combinations), are what the sampled combinations of the
    weights of smooth discrepancies do to a run, and to its teacher (`inference.smooth_rows`);
    `offset_size` is the place of the offset that supervised runs of its size share, and
    `has_offset` 1 where there is one. `inputs`, by name (rows,), are the columns that the law
    declares (`Law.extra_inputs`), as they are in the table.
    """

    params: Array
    tokens: Array
    loss: Array
    teacher_loss: Array
    teacher_params: Array
    teacher_tokens: Array
    teacher_loss_se: Array
    size: Array
    teacher: Array
    condition: Array
    run: Array
    mask: Array
    unique_tokens: Array
    smooth: dict[str, Array]
    teacher_smooth: dict[str, Array]
    offset_size: Array
    has_offset: Array
    inputs: dict[str, Array] = {}  # noqa: RUF012


class OfRows(NamedTuple):
    """Logarithmic discrepancies of runs, (rows,) each, zero where a run has none.

    `student` is of what the student reaches alone, `teacher` of a teacher known by its size, and
    `excess` of the student's loss above its teacher's.
    """

    student: Array
    teacher: Array
    excess: Array


@dataclass(frozen=True)
class ModelSpec:
    """The static part of a model: hashable, the key of every compiled program.

    `likelihood` is the class of the likelihood, and `parameters` those of its parameters that are
    sampled, each with the family of its prior.
    """

    law_name: str
    families: tuple[tuple[str, str], ...]
    joint_supervised: bool
    likelihood: type[Likelihood]
    relative: bool
    kind: str
    predicts_teachers: bool
    discrepancies: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    condition_discrepancies: tuple[str, ...] = ()
    noisy_teachers: bool = False
    parameters: tuple[tuple[str, str], ...] = ()
    smooth: tuple[str, ...] = ()
    size_offset: bool = False
    unlimited_data: bool = False
    own_law: Law | None = None

    @property
    def law(self) -> Law:
        """The scaling law: a built-in by its name, or one of a card."""
        return LAWS[self.law_name] if self.own_law is None else self.own_law

    @property
    def noise_sites(self) -> tuple[str, ...]:
        """Names of the residual scales."""
        return {
            "supervised": ("supervised_scale",),
            "distillation": ("scale",),
            "mixed": ("scale", "supervised_scale"),
        }[self.kind]

    @property
    def spread_sites(self) -> tuple[str, ...]:
        """Names of the standard deviations of discrepancies and of shared effects."""
        offset = (OFFSET,) if self.size_offset else ()
        return tuple(f"{name}_sd" for name in (*self.smooth, *offset, *self.shared))

    @property
    def shared(self) -> tuple[str, ...]:
        """Names of everything that the runs of a group share."""
        of_conditions = (f"condition_{name}" for name in self.condition_discrepancies)
        return (*self.discrepancies, *self.effects, *of_conditions)


OF_TAUGHT = ("teacher", "condition")
RUN = "run"
EFFECTS = (*OF_TAUGHT, RUN)
SMOOTH_SITES = ("smooth_up", "smooth_down", "student_smooth")


def model_spec(
    card: Card,
    kind: str,
    predicts_teachers: bool,
    noisy_teachers: bool = False,
    recurring_sizes: bool = False,
    checkpoints: bool = False,
) -> ModelSpec:
    """Static part of the model of `card` on runs of `kind`.

    `recurring_sizes` and `checkpoints` say whether several supervised runs are of one size, and
    several rows of one run.
    """
    taught = kind != "supervised"
    smooth = tuple(
        name for name in SMOOTH_SITES[: 3 if taught else 2] if getattr(card.discrepancy, name, None)
    )
    return ModelSpec(
        law_name=card.law,
        families=tuple((name, prior.family) for name, prior in card.coordinate_priors.items()),
        joint_supervised=card.supervised is not None,
        likelihood=card.likelihood.kind,
        relative=card.likelihood.scale == "relative",
        kind=kind,
        predicts_teachers=predicts_teachers,
        discrepancies=tuple(n for n in OF_SIZES if taught and getattr(card.discrepancy, n, None)),
        effects=(
            *(n for n in OF_TAUGHT if taught and getattr(card.likelihood, f"{n}_effect")),
            *((RUN,) if checkpoints and card.likelihood.run_effect else ()),
        ),
        condition_discrepancies=tuple(
            n for n in OF_CONDITIONS if taught and getattr(card.discrepancy, f"condition_{n}", None)
        ),
        noisy_teachers=noisy_teachers,
        parameters=tuple((n, prior.family) for n, prior in card.likelihood.priors.items()),
        smooth=smooth,
        size_offset=recurring_sizes and getattr(card.discrepancy, OFFSET, None) is not None,
        unlimited_data=taught and card.unlimited_data is not None,
        own_law=None if card.scaling_law is LAWS.get(card.law) else card.scaling_law,
    )


def hyperparameters(card: Card, prior: joint_prior.JointPrior | None) -> dict[str, Any]:
    """Numbers of the priors, as a tree of arrays that the model takes as an argument."""
    likelihood = card.likelihood
    tree: dict[str, Any] = {
        "priors": {name: p.hyperparameters() for name, p in card.coordinate_priors.items()},
        "scale": likelihood.prior.hyperparameters(),
        "supervised_scale": likelihood.supervised_prior.hyperparameters(),
        "likelihood": likelihood.numbers,
        "parameters": {n: prior.hyperparameters() for n, prior in likelihood.priors.items()},
    }
    for name in EFFECTS:
        if spread := getattr(likelihood, f"{name}_effect"):
            tree[f"{name}_sd"] = spread.hyperparameters()
    of_conditions = (f"condition_{name}" for name in OF_CONDITIONS)
    for name in (*SMOOTH_SITES, OFFSET, *OF_SIZES, *of_conditions):
        if (spread := getattr(card.discrepancy, name, None)) is not None:
            tree[f"{name}_sd"] = spread.hyperparameters()
    if card.unlimited_data is not None:
        tree["unlimited_data"] = card.unlimited_data.gain_sd
    if prior is not None:
        tree["supervised"] = {"centre": prior.centre, "factor": prior.factor}
    return tree


def sample_coordinates(spec: ModelSpec, hyper: dict[str, Any]) -> dict[str, Array]:
    """Sample every coordinate of the law from its prior."""
    coordinates: dict[str, Any] = {}
    if spec.joint_supervised:
        joint = hyper["supervised"]
        # standardised by the prior's factor, which decorrelates what the data hardly identify
        z = numpyro.sample(
            "supervised_z", dist.Normal().expand([len(joint_prior.NAMES)]).to_event(1)
        )
        for name, value in joint_prior.constrain(joint["centre"] + joint["factor"] @ z).items():
            coordinates[name] = numpyro.deterministic(name, value)
    for name, family in spec.families:
        first, second = hyper["priors"][name]
        coordinates[name] = numpyro.sample(name, FAMILIES[family].distribution(first, second))
    return coordinates


def sample_smooth(spec: ModelSpec, data: Data, hyper: dict[str, Any]) -> dict[str, Array]:
    """Sample smooth discrepancies, as combinations of weights, and the offsets of sizes.

    Here all are as the card states them; NUTS samples others, see `inference.whitening`.
    """
    sites: dict[str, Any] = {}
    for name in spec.smooth:
        scale = numpyro.sample(f"{name}_sd", dist.LogNormal(*hyper[f"{name}_sd"]))
        prior = dist.Normal(0.0, scale).expand([data.smooth[name].shape[1]]).to_event(1)
        sites[f"{name}_z"] = numpyro.sample(f"{name}_z", prior)
    if spec.size_offset:
        scale = numpyro.sample(f"{OFFSET}_sd", dist.LogNormal(*hyper[f"{OFFSET}_sd"]))
        spread = jnp.where(hyper["groups"][OFFSET] == 1, scale, 1.0)
        sites[f"{OFFSET}_z"] = numpyro.sample(f"{OFFSET}_z", dist.Normal(0.0, spread).to_event(1))
    return sites


def of_rows(spec: ModelSpec, sites: Mapping[str, Array], data: Data) -> OfRows | None:
    """Discrepancies of the runs, from what `sample_smooth` samples; ``None`` without any."""
    if not spec.smooth and not spec.size_offset:
        return None
    student = teacher = excess = jnp.zeros_like(data.loss)
    for name in spec.smooth:
        own = data.smooth[name] @ sites[f"{name}_z"]
        if name == STUDENT_SMOOTH:
            excess = own
        else:
            student = student + own
            teacher = teacher + data.teacher_smooth[name] @ sites[f"{name}_z"]
    if spec.size_offset:
        student = student + sites[f"{OFFSET}_z"][data.offset_size] * data.has_offset
    return OfRows(student, teacher, excess)


def sample_shared(spec: ModelSpec, hyper: dict[str, Any]) -> dict[str, Array]:
    """Sample what runs share: discrepancies of sizes, offsets of teachers and of conditions.

    The effect of each group is sampled as it is (`NAME_z`, in units of the prior's median scale),
    not in units of the sampled scale: runs identify the sum of law and discrepancy far better than
    the scale, which would otherwise move every discrepancy with it. A group that is padding has a
    standard normal prior that does not depend on the scale: it would be a funnel otherwise.
    """
    shared: dict[str, Any] = {}
    for name in spec.shared:
        scale = numpyro.sample(f"{name}_sd", dist.LogNormal(*hyper[f"{name}_sd"]))
        unit = jnp.exp(hyper[f"{name}_sd"][0])
        of_size, of_condition = name in spec.discrepancies, name.startswith("condition")
        exists = hyper["groups"]["size" if of_size else "condition" if of_condition else name]
        spread = jnp.where(exists == 1, scale / unit, 1.0)
        z = numpyro.sample(f"{name}_z", dist.Normal(0.0, spread).to_event(1))
        if of_size:
            shared[name] = numpyro.deterministic(name, unit * (hyper["groups"][name] @ z))
        else:
            effect = numpyro.deterministic(f"{name}_effect", unit * exists * z)
            shared[f"{name}_effect"] = effect
    if spec.noisy_teachers:
        teachers = hyper["groups"]["teacher"].shape[0]
        shared["teacher_error"] = numpyro.sample(
            "teacher_error", dist.Normal().expand([teachers]).to_event(1)
        )
    return shared


def mean_loss(
    spec: ModelSpec, coordinates: dict[str, Array], data: Data, own: OfRows | None = None
) -> Array:
    """Mean loss of each run (rows,), in units of the reference loss.

    `coordinates` holds those of the law and whatever `sample_smooth` and `sample_shared` sample;
    `own` are the smooth discrepancies and offsets of the runs, by default those of the sites.
    """
    law = spec.law
    own = of_rows(spec, coordinates, data) if own is None else own
    at_student, at_teacher = coordinates, coordinates
    if own is not None:
        at_student = {
            **coordinates,
            LOG_DISCREPANCY: own.student,
            STUDENT_LOG_DISCREPANCY: own.excess,
        }
        at_teacher = {**coordinates, LOG_DISCREPANCY: own.teacher}
    of_run = coordinates[f"{RUN}_effect"][data.run] if RUN in spec.effects else 0.0
    if spec.kind == "supervised":
        alone = law.supervised_loss(
            at_student,
            data.params,
            data.tokens,
            UNIT,
            unique_tokens=data.unique_tokens,
            inputs=data.inputs,
        )
        return alone + of_run
    assert isinstance(law, TeacherLaw)
    teacher_loss, distilled = data.teacher_loss, ~jnp.isnan(data.teacher_loss)
    if spec.predicts_teachers:
        known = ~jnp.isnan(data.teacher_params)
        predicted = law.supervised_loss(
            at_teacher,
            jnp.where(known, data.teacher_params, 1.0),
            jnp.where(known, data.teacher_tokens, 1.0),
            UNIT,
        )
        distilled, teacher_loss = (
            distilled | known,
            jnp.where(distilled, teacher_loss, predicted),
        )
    # a harmless teacher where there is none, so that no gradient is NaN
    teacher_loss = jnp.where(distilled, teacher_loss, 1.0)
    if spec.noisy_teachers:
        error = coordinates["teacher_error"][data.teacher]
        teacher_loss = teacher_loss + data.teacher_loss_se * error
    of_student = {name: coordinates[name][data.size] for name in spec.discrepancies}
    for name in spec.condition_discrepancies:
        of_student[name] = coordinates[f"condition_{name}_effect"][data.condition]
    own_inputs = {"inputs": data.inputs} if law.extra_inputs else {}
    student = law.distilled_loss(
        {**at_student, **of_student}, data.params, data.tokens, teacher_loss, UNIT, **own_inputs
    )
    for name in spec.effects:
        student = student + coordinates[f"{name}_effect"][getattr(data, name)]
    if spec.kind == "distillation":
        return student
    supervised = law.supervised_loss(at_student, data.params, data.tokens, UNIT, inputs=data.inputs)
    return jnp.where(distilled, student, supervised + of_run)


def sites_of_mean(spec: ModelSpec, sites: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the sites, and of what follows from them, that `mean_loss` reads."""
    of_runs = {f"{name}_z" for name in (*spec.smooth, OFFSET)}
    return {k: v for k, v in sites.items() if k in of_runs or not k.endswith("_z")}


def noise_scale(spec: ModelSpec, scales: dict[str, Array], mean: Array, data: Data) -> Array:
    """Residual scale of each run (rows,), in units of the reference loss."""
    if spec.kind == "mixed":
        supervised = jnp.isnan(data.teacher_loss) & jnp.isnan(data.teacher_params)
        scale = jnp.where(supervised, scales["supervised_scale"], scales["scale"])
    else:
        scale = scales[spec.noise_sites[0]] * jnp.ones_like(mean)
    return scale * mean if spec.relative else scale


def sample_parameters(spec: ModelSpec, hyper: dict[str, Any]) -> dict[str, Any]:
    """Sample the parameters of the likelihood that have a prior."""
    return {
        name: numpyro.sample(name, FAMILIES[family].distribution(*hyper["parameters"][name]))
        for name, family in spec.parameters
    }


def likelihood_of(spec: ModelSpec, sites: Mapping[str, Any], hyper: dict[str, Any]) -> Likelihood:
    """The likelihood, with the parameters that are sampled taken from `sites`."""
    return spec.likelihood(
        **hyper["likelihood"], **{name: sites[name] for name, _ in spec.parameters}
    )


def scaling_law_model(spec: ModelSpec, data: Data, hyper: dict[str, Any]) -> None:
    """Joint density of coordinates, noise and losses; the model that NUTS samples."""
    coordinates = sample_coordinates(spec, hyper)
    if spec.unlimited_data:
        assert isinstance(spec.law, TeacherLaw)
        gain = gain_with_unlimited_data(spec.law, coordinates)
        likely = dist.Normal(gain, hyper["unlimited_data"]).to_event(1)
        numpyro.sample(NO_GAIN, likely, obs=jnp.zeros_like(gain))
    scales: dict[str, Any] = {
        name: numpyro.sample(name, dist.LogNormal(*hyper[name])) for name in spec.noise_sites
    }
    likelihood = likelihood_of(spec, sample_parameters(spec, hyper), hyper)
    shared = sample_smooth(spec, data, hyper) | sample_shared(spec, hyper)
    mean = mean_loss(spec, {**coordinates, **shared}, data)
    scale = noise_scale(spec, scales, mean, data)
    with (
        numpyro.plate("runs", data.params.shape[0]),
        numpyro.handlers.mask(mask=data.mask),
    ):
        numpyro.sample("loss", likelihood.distribution(mean, scale), obs=data.loss)
