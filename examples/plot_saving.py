"""
Saved, sent and checked
=======================

A fitted estimator is saved to a file that runs no code when it is opened. Whoever
receives it can compute the model anew from the releases in it, and so see that it is
made of nothing else.
"""

# %%
# Here
# ----
from pathlib import Path
from tempfile import mkdtemp

from sklearn.datasets import load_digits

from skdpgmm import DPPCA, load, verify
from skdpgmm.displays import SpectrumDisplay

X, _ = load_digits(return_X_y=True)
path = Path(mkdtemp()) / "digits.safetensors"
DPPCA(24, epsilon=2.0, clip_norm=80.0).fit(X).save(path)
print(f"{path.stat().st_size / 1024:.0f} kB")

# %%
# There
# -----
# What was released, replayed: every attribute is the same to the bit.
print(verify(path))

# %%
# A model as any other
# --------------------
# Hollow points are directions that cannot be told from noise. Variances have been
# shrunk by the noise, so that a clear one may lie below its edge.
pca = load(path)
print(pca.transform(X[:3]).shape)
_ = SpectrumDisplay.from_estimator(pca)
