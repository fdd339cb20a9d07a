"""
An attack on every release
==========================

A proof can be believed, or checked, or attacked. Here an attacker knows all records but
one, sees every release of a fit, and makes the best guess there is: the error that is
left to them is what the guarantee promises.
"""

# %%
# The attack
# ----------
# The audit looks for the record that moves the releases farthest, fits with it and
# without it, and counts how often the attacker is right. It is **not private**: it is
# for public records, as these images of digits are, and says so each time.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skdpgmm import DPPCA, audit

warnings.simplefilter("ignore")
X, _ = load_digits(return_X_y=True)
X = X[:300]
pca = DPPCA(4, epsilon=4.0)
few = audit(pca, X, n_runs=100, random_state=0)
print(few)

# %%
# Each row is a release, with how much of the stated sensitivity the record attains: 1
# is no noise too much, and more than 1 would be a fault.
#
# More runs, more certainty
# -------------------------
# What an audit can show is limited by its runs, also where the attacker is perfect.
# Many canaries in one fit, each in or not by a coin, give many guesses for the price of
# one. The dashed line is what the fits claim; no bound may be above it.
more = audit(pca, X, n_runs=300, random_state=1)
canaries = audit(pca, X, attack="canaries", random_state=1)

fig, ax = plt.subplots(layout="constrained")
results = [few, more, canaries]
names = ["100 fits", "300 fits", "1 fit, 400 canaries"]
place = np.arange(len(names))
ax.bar(place, [one.bound for one in results], color="#0072b2", label="bound, at 95 %")
ax.hlines(
    [one.ceiling for one in results],
    place - 0.45,
    place + 0.45,
    color="#d55e00",
    linewidth=3,
    label="bound of a perfect attacker, about",
)
ax.axhline(canaries.mu, color="black", linestyle="--", label="claim")
ax.set_xticks(place, names)
ax.set(ylabel="mu", title="What attacks show of the claim", ylim=(0.0, 1.3))
_ = ax.legend(loc="upper left", ncols=2)
