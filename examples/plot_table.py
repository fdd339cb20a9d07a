"""
From a table to a classifier
============================

A table of measurements becomes synthetic rows, and these train any classifier. The
table is scikit-learn's of 569 tumours: it is public, and stands in for one that is not.
"""

# %%
# What is known without looking
# -----------------------------
# Columns have units of their own. Usual values of each are found in any textbook;
# divided by them, all columns are about 1. A ``StandardScaler`` would learn them from
# the records, and pay nothing for it.
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skdpgmm import DPEmbeddingSynthesizer
from skdpgmm.displays import BudgetDisplay, SyntheticRowsDisplay

table = load_breast_cancer(as_frame=True)
usual = [20, 25, 130, 1000, 0.12, 0.15, 0.12, 0.08, 0.2, 0.07]
usual += [0.6, 1.5, 4, 60, 0.01, 0.03, 0.04, 0.015, 0.025, 0.005]
usual += [22, 30, 150, 1200, 0.15, 0.3, 0.35, 0.15, 0.3, 0.09]
X, y = table.data / usual, table.target_names[table.target]
X, X_test, y, y_test = train_test_split(X, y, test_size=0.3, random_state=0)

# %%
# The only private step
# ---------------------
# Records lie about (1, ..., 1), and few are farther away than 5.
synthesizer = DPEmbeddingSynthesizer(epsilon=4.0, clip_norm=5.0, center=np.ones(30))
synthesizer.fit(X, y)
print(synthesizer.privacy_.meaning)

# %%
# Rows to work with, in the columns of the table:
rows, labels = synthesizer.sample(3000)
rows.iloc[:5, :4] * usual[:4]

# %%
# Any classifier
# --------------
for model in (LogisticRegression(max_iter=1000), RandomForestClassifier()):
    synthetic = model.fit(rows, labels).score(X_test, y_test)
    real = model.fit(X, y).score(X_test, y_test)
    name = type(model).__name__
    print(f"{name:>22}: {synthetic:.3f} from synthetic rows, {real:.3f} from records")

# %%
# How they look
# -------------
# The plane is that of the released means. The records on the left are public; drawn
# from private ones, such a figure would not be private.
_ = SyntheticRowsDisplay.from_estimator(synthesizer, X, y, n_samples=len(X))

# %%
# What the budget was spent on:
_ = BudgetDisplay.from_estimator(synthesizer)
