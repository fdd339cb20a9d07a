"""
What a naive way would leak
===========================

Noise on the result of an ordinary algorithm is no guarantee. Here it is shown on one
person: a model is fitted with them and without, many times, and an attacker looks at
the difference.
"""

# %%
# A patient far from the others
# -----------------------------
# They alone are of class 1 beyond 8; all others are within 3 or so.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans

from skdpgmm import DPKMeans
from skdpgmm.privacy import attack_power, mu_from_epsilon

rng = np.random.default_rng(0)
others = rng.normal(size=(400, 2))
person = np.array([[8.0, 0.0]])


def naive(X, seed):
    """Centres of scikit-learn, with noise of .1 on each coordinate."""
    centers = KMeans(3, n_init=3, random_state=seed).fit(X).cluster_centers_
    return centers + 0.1 * np.random.default_rng(seed).normal(size=centers.shape)


def private(X, seed):
    """Centres of a private fit; its noise is of the operating system."""
    return DPKMeans(3, epsilon=1.0, clip_norm=3.0).fit(X).cluster_centers_


# %%
# The attack
# ----------
# The largest coordinate of all centres, which the attacker compares with a threshold.
import warnings

from skdpgmm.exceptions import NoiseDominatedWarning

warnings.simplefilter("ignore", NoiseDominatedWarning)
runs, alarms = 150, np.linspace(0, 1, 101)
fig, axes = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained", sharey=True)
for ax, fit in zip(axes, (naive, private), strict=True):
    out = [fit(others, i).max() for i in range(runs)]
    inside = [fit(np.vstack([others, person]), runs + i).max() for i in range(runs)]
    cuts = np.quantile(out, 1.0 - alarms)
    ax.plot(alarms, [np.mean(np.array(inside) > cut) for cut in cuts], label="attack")
    ax.plot([0, 1], [0, 1], ":", color="0.5", label="guessing")
    ax.set(title=fit.__name__, xlabel="others who are named")
mu = mu_from_epsilon(1.0, 1e-5)
bound = [attack_power(mu, one) for one in alarms[1:-1]]
axes[1].plot(alarms[1:-1], bound, "--", color="black", label="no attack can do better")
axes[0].set(ylabel="runs with the person that are found")
for ax in axes:
    ax.legend(loc="lower right")

# %%
# The noise on the left was large beside the clusters, and small beside what one person
# can do to a centre. On the right, records are clipped to a public ball, and the noise
# is that of the largest change that anybody within it can make. The attack stays near
# the bound or below it, up to the chance in 150 runs.
