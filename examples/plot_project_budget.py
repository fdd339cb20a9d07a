"""
One budget for a whole project
==============================

Several fits to the same people cost more than each of them. A
:class:`~skdpgmm.PrivacyBudget` keeps the account, and refuses what would overspend it
before a record is read.
"""

# %%
# Three questions about the same records
# --------------------------------------
import matplotlib.pyplot as plt
from sklearn.datasets import load_digits

from skdpgmm import DPPCA, DPKMeans, DPLogisticRegression, PrivacyBudget
from skdpgmm.displays import PrivacyCurveDisplay
from skdpgmm.privacy import BudgetExceededError

X, y = load_digits(return_X_y=True)
budget = PrivacyBudget(epsilon=3.0, delta=1e-5)
known = {"clip_norm": 80.0, "delta": 1e-5}
DPPCA(8, epsilon=1.0, **known).fit(X, budget=budget)
DPKMeans(10, epsilon=1.0, **known).fit(X, budget=budget)
DPLogisticRegression(epsilon=2.0, **known).fit(X, y, budget=budget)
print(budget)

# %%
# What is refused
# ---------------
try:
    DPKMeans(10, epsilon=2.0, **known).fit(X, budget=budget)
except BudgetExceededError as error:
    print(error)

# %%
# What they are together
# ----------------------
# Costs of Gaussian noise add as squares of mu: three fits of epsilon 1, 1 and 2 are
# less than a fit of epsilon 4.
fig, ax = plt.subplots(figsize=(5.4, 4.6), layout="constrained")
for epsilon in (1.0, 2.0, 4.0):
    plan = DPKMeans(10, epsilon=epsilon).plan(1000, 64)
    PrivacyCurveDisplay.from_report(plan).plot(
        ax, name=f"one fit of epsilon {epsilon:g}", ls="--"
    )
_ = PrivacyCurveDisplay.from_mu(budget.report().spent_mu).plot(
    ax, name="the three fits together", color="black", lw=2
)
