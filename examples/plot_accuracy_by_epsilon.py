"""
What does each epsilon buy?
===========================

A classifier trained on private synthetic rows is an ordinary scikit-learn estimator, so
:class:`~sklearn.model_selection.GridSearchCV` runs over its privacy budget as over any
other parameter: ``synthesizer__epsilon``.

**Do this on public records**, as a rehearsal, before the private ones are touched. Each
fit spends a whole budget, and the scores by which the search chooses are computed from
held-out records without any noise: on private records, neither would be covered by the
guarantee. Here the public records are scikit-learn's 1,797 handwritten digits. For
private records there is :class:`~skdpgmm.PrivateSearchCV`.
"""

# %%
# A classifier that sees synthetic rows only
# ------------------------------------------
# 64 pixels from 0 to 1 have a norm of at most 8: a bound that is known without
# looking, and so is free. The classes are public, too.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skdpgmm import DPEmbeddingSynthesizer, DPLogisticRegression, DPSyntheticClassifier

X, y = load_digits(return_X_y=True)
X = X / 16.0
classes = np.arange(10)
synthetic = DPSyntheticClassifier(
    DPEmbeddingSynthesizer(delta=1e-5, clip_norm=8.0, classes=classes),
    LogisticRegression(max_iter=1000),
    n_samples=10_000,
)

# %%
# The search
# ----------
# Noise is part of the answer: each epsilon is fitted on five folds, and the spread
# over them is drawn.
epsilons = [0.5, 1.0, 2.0, 4.0, 8.0]
search = GridSearchCV(
    synthetic, {"synthesizer__epsilon": epsilons}, cv=5, refit=False
).fit(X, y)

# %%
# The private linear probe is searched in the same way, and a logistic regression on
# the records themselves is the ceiling.
probe = GridSearchCV(
    DPLogisticRegression(delta=1e-5, clip_norm=8.0, classes=classes),
    {"epsilon": epsilons},
    cv=5,
    refit=False,
).fit(X, y)
ceiling = GridSearchCV(LogisticRegression(max_iter=1000), {}, cv=5).fit(X, y)

fig, ax = plt.subplots(figsize=(7, 4))
for name, found in (
    ("logistic regression on synthetic rows", search),
    ("DPLogisticRegression", probe),
):
    ax.errorbar(
        epsilons,
        found.cv_results_["mean_test_score"],
        found.cv_results_["std_test_score"],
        marker="o",
        capsize=3,
        label=name,
    )
ax.axhline(ceiling.best_score_, color="black", lw=1, label="without privacy")
ax.set(xscale="log", xlabel="epsilon", ylabel="accuracy on held-out records")
ax.set_xticks(epsilons, [f"{epsilon:g}" for epsilon in epsilons])
ax.minorticks_off()
ax.set_title("1,437 records of 64 features in ten classes, delta 1e-5")
ax.legend()
fig.tight_layout()

# %%
# What it cost
# ------------
# The chosen classifier is fitted once on the private records, at the epsilon that was
# fixed beforehand, and its ledger lists every release. Had the search been done on
# the same people, each of them would be in 20 of its 25 fits as well, and
# :func:`skdpgmm.privacy.compose_mu` says what these cost together.
chosen = synthetic.set_params(synthesizer__epsilon=4.0).fit(X, y)
chosen.privacy_
