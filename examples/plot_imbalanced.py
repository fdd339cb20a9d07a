"""
A rare class
============

One record in twenty is of the class that matters. Synthetic rows can be drawn equally
often of all classes, at no cost: what was released of a class does not depend on how
many of its rows are drawn.
"""

# %%
# Digits: is it a nine?
# ---------------------
# Of the nines only every second one is kept.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay, balanced_accuracy_score
from sklearn.model_selection import train_test_split

from skdpgmm import DPEmbeddingSynthesizer

X, digit = load_digits(return_X_y=True)
kept = (digit != 9) | (np.arange(len(digit)) % 2 == 0)
X, y = X[kept] / 16.0, np.where(digit[kept] == 9, "nine", "other")
X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"{np.mean(y == 'nine'):.3f} of the records are nines")

# %%
# Drawn as they are, and equally often
# ------------------------------------
# The classes are public, and so is the bound of the norm: 64 pixels from 0 to 1. One
# fit is enough for both.
synthesizer = DPEmbeddingSynthesizer(
    n_components=1, epsilon=4.0, clip_norm=8.0, classes=["nine", "other"]
).fit(X, y)
fig, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, weight in zip(axes, (None, "balanced"), strict=True):
    rows, labels = synthesizer.sample(5000, class_weight=weight)
    found = LogisticRegression(max_iter=1000).fit(rows, labels).predict(X_test)
    score = balanced_accuracy_score(y_test, found)
    ConfusionMatrixDisplay.from_predictions(
        y_test, found, normalize="true", values_format=".2f", ax=ax, colorbar=False
    )
    ax.set_title(f"class_weight={weight!r}: {score:.2f} balanced")

# %%
# The noisy counts say how far the rare class stands out of the noise; with fewer
# records, or a smaller epsilon, a warning comes in time.
print(synthesizer.privacy_.quality)
