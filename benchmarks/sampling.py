"""How fast the posterior of busbridge2025 comes, against the printed coefficients as they are.

Both sides use the same runs, the same likelihood, the same NUTS (four vectorised chains, 1000 +
1000 transitions, dense mass matrix, the same target acceptance) and start at a mode. They differ
in what is sampled: the coordinates of this package, or the coefficients that eq. 8 is printed
with, under independent log-normal priors around table 6. The printed side is helped: its
supervised law is held at table 6, so it has 10 numbers to sample instead of 16.

    python benchmarks/sampling.py [--json FILE] [--no-printed]
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
from jax.flatten_util import ravel_pytree
from numpyro.infer.util import potential_energy
from scipy.optimize import minimize

from bayes_distill.inference.programs import Programs
from bayes_distill.inference.sampler import Sample, run_chains, run_nuts
from bayes_distill.inference.settings import SamplerSettings
from bayes_distill.laws import LAWS, TABLE_6, Reference, TeacherLaw
from bayes_distill.runs import read_runs
from common import inputs_of, quality, write_json

NATS = Reference(1.0, 1.0, 1.0)
# sd of the logarithm: what a fit without a covariance would be given; A', B', c1 run far
PRIOR_SD = {"A'": 3.0, "B'": 3.0, "c1": 3.0}
PRINTED = ("A'", "B'", "alpha'", "beta'", "gamma'", "c0", "c1", "d1", "f1")


def printed_model(runs: dict[str, jax.Array]) -> None:
    """Eq. 8 in its printed coefficients, sampled as logarithms."""
    law = LAWS["distillation"]
    assert isinstance(law, TeacherLaw)
    drawn = {
        name: numpyro.sample(name, dist.LogNormal(jnp.log(TABLE_6[name]), PRIOR_SD.get(name, 0.5)))
        for name in PRINTED
    }
    coordinates = law.from_published({**TABLE_6, **drawn}, NATS)
    mean = law.distilled_loss(
        coordinates, runs["params"], runs["tokens"], runs["teacher_loss"], NATS
    )
    scale = numpyro.sample("scale", dist.LogNormal(jnp.log(0.01), 1.0))
    with numpyro.plate("runs", mean.shape[0]):
        numpyro.sample("loss", dist.StudentT(4.0, mean, scale), obs=runs["loss"])


def sample_printed(runs: dict[str, jax.Array], settings: SamplerSettings, seed: int) -> Sample:
    """Find the mode, then NUTS from around it."""
    # starting at the published values, or the optimiser would already get lost on the ridge
    start = {name: jnp.log(TABLE_6[name]) for name in PRINTED} | {"scale": jnp.log(0.01)}
    flat, unravel = ravel_pytree(start)
    value = jax.jit(
        jax.value_and_grad(lambda x: potential_energy(printed_model, (runs,), {}, unravel(x)))
    )
    mode = minimize(lambda x: tuple(map(np.asarray, value(x))), flat, jac=True, method="BFGS")
    generator = np.random.default_rng(seed)
    points = mode.x + 0.1 * generator.standard_normal((settings.chains, mode.x.size))
    z = jax.vmap(unravel)(points)

    def potential_of(runs: dict[str, jax.Array]) -> Any:
        return partial(potential_energy, printed_model, (runs,), {})

    programs = Programs(potential_of, settings.warmup, settings.target_accept)
    identity = np.eye(mode.x.size)
    return run_chains(programs, z, identity, (runs,), settings, seed)


def figures(sample: Sample) -> dict[str, float]:
    """Quality, work and speed of a sample."""
    of_draws = quality(sample.unconstrained)
    return {
        **of_draws,
        "divergences": int(sample.stats["diverging"].sum()),
        "leapfrog_steps_per_draw": float(sample.stats["n_steps"].mean()),
        "sampling_seconds": sample.seconds["sampling"],
        "total_seconds": sum(sample.seconds.values()),
        "ess_per_second": of_draws["ess_bulk_min"] / sample.seconds["sampling"],
    }


def main() -> None:
    """Run both sides and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-printed", action="store_true")
    arguments = parser.parse_args()
    card, spec, data, hyper = inputs_of("busbridge2025")
    settings = SamplerSettings(target_accept=card.target_accept)
    sides = {"coordinates": figures(run_nuts(spec, data, hyper, settings, arguments.seed))}
    if not arguments.no_printed:
        columns = ("params", "tokens", "loss", "teacher_loss")
        frame = read_runs("busbridge2025").frame
        runs = {name: jnp.asarray(frame[name].to_numpy(float)) for name in columns}
        sides["printed"] = figures(sample_printed(runs, settings, arguments.seed))
        ratio = sides["coordinates"]["ess_per_second"] / sides["printed"]["ess_per_second"]
        sides["ratio"] = {"ess_per_second": ratio}
    for side, numbers in sides.items():
        print(side)
        for name, number in numbers.items():
            print(f"  {name:20s} {number:.4g}")
    write_json(arguments.json, sides)


if __name__ == "__main__":
    main()
