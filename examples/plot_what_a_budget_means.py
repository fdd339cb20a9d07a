"""
What a budget means, before it is spent
=======================================

Epsilon is a number that few can judge. What an attacker can find out follows from it,
and what a fit would do with it can be looked at without a record.
"""

# %%
# What an attacker can find
# -------------------------
# They ask whether somebody is in the data, and know everything but that. The more of
# the others they are willing to name, the more of those in the data they find; the
# diagonal is guessing. No attack does better than the curve.
import matplotlib.pyplot as plt

from skdpgmm import DPKMeans, DPLogisticRegression
from skdpgmm.displays import BudgetDisplay, PrivacyCurveDisplay

fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
for epsilon in (0.5, 1, 4, 8):
    plan = DPKMeans(epsilon=epsilon).plan(n_samples=10_000, n_features=16)
    name = f"epsilon = {epsilon:g}, delta = 1e-5"
    PrivacyCurveDisplay.from_report(plan).plot(left, name=name)
    PrivacyCurveDisplay.from_report(plan, kind="epsilon").plot(right, name=name)

# %%
# On the right is the same guarantee, written with other deltas: one budget is a curve
# of pairs, and a single epsilon says little without its delta.
#
# What a fit would do with it
# ---------------------------
# A plan is the ledger of a fit that has not been. It costs nothing, as no record is
# there.
plan = DPLogisticRegression(epsilon=1.0, clip_norm=1.0).plan(
    n_samples=50_000, n_features=384, n_classes=10
)
_ = BudgetDisplay.from_report(plan).plot(color="#009e73")

# %%
# How large the noise will be, in records and in the units of the data:
print(plan)
