"""
How accurate is which epsilon, and what does it cost to find out?
=================================================================

:class:`~sklearn.model_selection.GridSearchCV` runs over the epsilon of a private
estimator as over any other parameter. On private records nothing of that is covered:
its scores have no noise, and all of its fits spend a budget.
:class:`~skdpgmm.PrivateSearchCV` pays for its looks, and says what they cost. The
records are scikit-learn's 1,797 handwritten digits, two thirds of which are taken for
private.
"""

# %%
# What an ordinary search gives away
# ----------------------------------
# The report is free: it is made of parameters only.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split

from skdpgmm import DPLogisticRegression, PrivateSearchCV, search_privacy

X, y = load_digits(return_X_y=True)
X, X_test, y, y_test = train_test_split(X / 16.0, y, test_size=0.33, random_state=0)
probe = DPLogisticRegression(clip_norm=8.0, classes=np.arange(10))
epsilons = [0.5, 1.0, 2.0, 4.0]
ordinary = GridSearchCV(probe, {"epsilon": epsilons}, cv=5)
naive = search_privacy(ordinary)
print(naive)

# %%
# The same question, privately
# ----------------------------
# Each candidate is fitted once, to four fifths of the records, and the others score it,
# by noisy counts. ``epsilon=None`` is the price of all of them and of the last fit; the
# intervals have the noise in them, and the chance in which records came to score.
search = PrivateSearchCV(probe, {"epsilon": epsilons}, epsilon=None).fit(X, y)
results = search.cv_results_
for epsilon, score, low, high in zip(
    epsilons,
    results["mean_test_score"],
    results["low_test_score"],
    results["high_test_score"],
    strict=True,
):
    print(f"epsilon {epsilon:g}: {score:.3f}, in [{low:.3f}, {high:.3f}]")
print(f"the search: epsilon {search.privacy_.epsilon:.3g}")
print(f"the models of the ordinary one, without its scores: {naive.epsilon:.3g}")

# %%
# Good enough
# -----------
# With ``stop_at`` it ends at the first epsilon that is surely good enough, and what is
# left under the cap may be spent on these records later.
enough = PrivateSearchCV(probe, {"epsilon": epsilons}, epsilon=None, stop_at=0.75).fit(
    X, y
)
report = enough.privacy_
print(f"stopped at epsilon {enough.best_params_['epsilon']:g}")
print(f"spent mu {report.spent_mu:.3f} of {report.mu:.3f}, left {report.left_mu:.3f}")

# %%
# At the same price
# -----------------
# The models of an ordinary search with the cap of the private one: each of its 12 fits
# that a record may be in, and the last, has little left, and most of them warn that
# they see noise only.
import warnings

from skdpgmm.exceptions import NoiseDominatedWarning

warnings.simplefilter("ignore", NoiseDominatedWarning)
caps = [1.0, 2.0, 4.0, 8.0]
grid = {"n_random_features": [0, 64, 256], "clip_norm": [4.0, 8.0]}


def naive_at(cap):
    """Return the accuracy of an ordinary search whose models cost `cap` together."""
    low, high = 1e-3, cap
    for _ in range(30):
        middle = np.sqrt(low * high)
        one = probe.set_params(epsilon=middle)
        if search_privacy(GridSearchCV(one, grid, cv=3)).epsilon > cap:
            high = middle
        else:
            low = middle
    probe.set_params(epsilon=low)
    return GridSearchCV(probe, grid, cv=3).fit(X, y).score(X_test, y_test)


private = [
    PrivateSearchCV(probe, grid, epsilon=cap).fit(X, y).score(X_test, y_test)
    for cap in caps
]
naively = [naive_at(cap) for cap in caps]

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
below = results["mean_test_score"] - results["low_test_score"]
above = results["high_test_score"] - results["mean_test_score"]
left.errorbar(
    epsilons,
    results["mean_test_score"],
    np.maximum([below, above], 0.0),
    marker="o",
    capsize=3,
)
left.set(
    xlabel="epsilon of a fit",
    ylabel="accuracy",
    title=f"one search over epsilon, which costs {search.privacy_.epsilon:.2g}",
)
right.plot(caps, private, marker="o", label="PrivateSearchCV, scores included")
right.plot(caps, naively, marker="s", ls="--", label="GridSearchCV, models only")
right.set(xlabel="epsilon of the whole search", title="six candidates, test records")
right.legend()
for ax, values in ((left, epsilons), (right, caps)):
    ax.set_xscale("log")
    ax.set_xticks(values, [f"{value:g}" for value in values])
    ax.minorticks_off()
fig.tight_layout()
