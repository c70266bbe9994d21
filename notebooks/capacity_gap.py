# %% [markdown]
# # Is my teacher too strong?
#
# A 198M student on 4.9B tokens, and three teachers to choose from. Runs are simulated here with the
# published coefficients, so that the truth is known; put the path of your own table in their place.
#
# Open as a notebook with Jupytext, or run as it is: `python notebooks/capacity_gap.py`.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import bayes_distill as bd
from bayes_distill.inference.sweeps import simulate_from_card
from bayes_distill.plots.student_against_teacher import student_against_teacher

runs, truth = simulate_from_card("busbridge2025", "paper", coefficients="table6", seed=0)
print(f"{len(runs)} {runs.kind} runs")

# %% [markdown]
# ## Fit
#
# Four chains of NUTS. The verdict speaks of the sampling; `identified` says which coefficients these
# runs determine. A', B' and c1 are not among them, and forecasts do not suffer from that.

# %%
careful = bd.load_card("busbridge2025").model_copy(update={"target_accept": 0.97})
posterior = bd.fit(runs, careful)
coefficients = pd.DataFrame(posterior.info["coefficients"]).set_index("name")
print("verdict:", posterior.verdict)
print(coefficients[["median", "lower", "upper", "identified"]].round(4))

# %% [markdown]
# ## Ask
#
# `p_stronger_teacher_hurts` is the posterior probability that a slightly better teacher than this one
# would make the student worse; `excess_mean` is what this teacher costs against the best one.

# %%
answer = bd.capacity_gap(posterior, "198M", "4.9B", teacher_loss=[1.9, 2.1, 2.5])
columns = ["teacher_loss", "p_stronger_teacher_hurts", "excess_mean", "loss_mean"]
print(answer.table[columns].round(4))

# %% [markdown]
# ## See
#
# The band is credible: it is about the mean curve, and a single run scatters around it. To the left of
# the star, a stronger teacher makes this student worse.

# %%
curve = bd.forecast(posterior, "198M", "4.9B", teacher_loss=np.linspace(1.75, 2.75, 60))
figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
student_against_teacher(curve, runs, axes)
axes.set_title("A 198M student on 4.9B tokens, by the loss of its teacher", loc="left")
figure.savefig("capacity_gap.png", dpi=150)
