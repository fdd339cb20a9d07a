"""
=======================================================
Train on private synthetic embeddings of Fashion-MNIST
=======================================================

Can a classifier be trained without ever seeing a private record? Here the private
records are images of clothes. A public pretrained network turns each into an
embedding; a Gaussian mixture is fitted to the labelled embeddings under
differential privacy; synthetic labelled embeddings are drawn from the mixture; and
a small network is trained on those alone. It is then tested on real images.

Run it as a script with ``--help`` to see its options, or with ``--full`` to use all
70,000 images instead of 25,000.
"""

# sphinx_gallery_thumbnail_path = "_static/fashion_mnist.png"

# %%
# Images to embeddings
# --------------------
# The encoder is an EfficientNet-lite0 that was trained on ImageNet and has never
# seen these images, and it treats each image by itself: both are needed for the
# guarantee to hold for the images and not only for their embeddings.
# ``embed`` keeps what it computes in a cache, so that a second run takes seconds.

import argparse
import time

import numpy as np

from _shared.fashion_mnist import (
    CLASS_NAMES,
    cache_dir,
    embed,
    load_encoder,
    load_fashion_mnist,
)
from skdpgmm import DPEmbeddingSynthesizer, TorchEmbeddingTransformer

parser = argparse.ArgumentParser(
    description="Train on private synthetic embeddings of Fashion-MNIST."
)
parser.add_argument("--epsilon", type=float, default=1.0, help="privacy budget")
parser.add_argument("--n-train", type=int, default=20_000, help="private images")
parser.add_argument("--n-test", type=int, default=5_000, help="test images")
parser.add_argument("--full", action="store_true", help="all 60,000 + 10,000 images")
parser.add_argument("--data", help="folder of Fashion-MNIST (default: find it)")
parser.add_argument("--cache", help="folder for embeddings (default: $SKDPGMM_CACHE)")
parser.add_argument("--output", help="PNG to write (default: in the cache)")
args = parser.parse_args()
if args.full:
    args.n_train, args.n_test = 60_000, 10_000
start = time.perf_counter()

X_train, y_train, X_test, y_test = load_fashion_mnist(args.data)
X_train, y_train = X_train[: args.n_train], y_train[: args.n_train]
X_test, y_test = X_test[: args.n_test], y_test[: args.n_test]

embedder = TorchEmbeddingTransformer(load_encoder(), batch_size=64, verbose=True)
E_train = embed(X_train, args.cache, embedder)
E_test = embed(X_test, args.cache, embedder)
print(
    f"{len(E_train):,} private embeddings in {E_train.shape[1]} dimensions, "
    f"{len(E_test):,} for testing  [{time.perf_counter() - start:.0f} s]"
)

# %%
# Fit under differential privacy and sample
# -----------------------------------------
# Two things are public here and are told to the synthesizer, for free: the set of
# classes, and that every embedding has norm 1. Without ``clip_norm`` a small share
# of the budget would buy that bound. No ``random_state`` is given to the fit: whoever
# knows the seed can subtract the noise.
#
# Everything after ``fit`` is post-processing. It may be repeated at will, and rows are
# free: as many are drawn here as there are records.


def fit_synthesizer(epsilon):
    synthesizer = DPEmbeddingSynthesizer(
        epsilon=epsilon,
        delta=1e-5,
        clip_norm=1.0,
        classes=np.arange(len(CLASS_NAMES)),
    )
    return synthesizer.fit(E_train, y_train)


synthesizer = fit_synthesizer(args.epsilon)
E_synthetic, y_synthetic = synthesizer.sample(len(E_train), random_state=0)
print(
    f"fitted and sampled {len(E_synthetic):,} synthetic embeddings  "
    f"[{time.perf_counter() - start:.0f} s]"
)

# %%
# The ledger names every release that the fit made, and what each cost.
print(synthesizer.privacy_)

# %%
# Train on synthetic, test on real
# --------------------------------
# The same two-layer network is trained twice: on the synthetic embeddings only, and,
# without any privacy, on the real ones. Early stopping holds out a tenth of the rows
# that it was given, so in the first case those are synthetic as well.

from sklearn.neural_network import MLPClassifier


def test_accuracy(E, y):
    network = MLPClassifier(
        hidden_layer_sizes=(128,),
        batch_size=200,
        learning_rate_init=3e-3,
        max_iter=30,
        early_stopping=True,
        n_iter_no_change=3,
        random_state=0,
    )
    return network.fit(E, y).score(E_test, y_test)


real_accuracy = test_accuracy(E_train, y_train)
print("accuracy on real test images of a network trained on")
print(
    f"  synthetic rows, epsilon = {args.epsilon:<4g}  "
    f"{test_accuracy(E_synthetic, y_synthetic):.3f}"
)
print(
    f"  real rows, not private         {real_accuracy:.3f}  "
    f"[{time.perf_counter() - start:.0f} s]"
)

# %%
# What privacy costs
# ------------------
# More budget, less noise. The noise is drawn anew for each fit, and so the accuracy
# differs from fit to fit: three tell how much. Each of these fits is a release of its
# own about the same records, so that a curve like this one is drawn for public data, or
# paid for: the budgets add up.

N_REPEATS = 3
accuracy, rows = {}, {}
for epsilon in sorted({0.5, 1.0, 2.0, 8.0, args.epsilon}):
    accuracy[epsilon] = []
    for repeat in range(N_REPEATS):
        rows[epsilon] = fit_synthesizer(epsilon).sample(
            len(E_train), random_state=repeat
        )
        accuracy[epsilon].append(test_accuracy(*rows[epsilon]))
    print(
        f"  epsilon = {epsilon:<4g} accuracy "
        f"{min(accuracy[epsilon]):.3f} to {max(accuracy[epsilon]):.3f}  "
        f"[{time.perf_counter() - start:.0f} s]"
    )

# %%
# Inside scikit-learn's model selection
# -------------------------------------
# The synthesizer is an ordinary estimator, so a grid search over it, alone or in a
# pipeline, just works. The score is the mean log density of held-out labelled rows.
# A subset is enough to show how.

from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

search = GridSearchCV(
    make_pipeline(
        Normalizer(),  # looks at one row at a time, and so costs no budget
        DPEmbeddingSynthesizer(clip_norm=1.0, classes=np.arange(len(CLASS_NAMES))),
    ),
    {"dpembeddingsynthesizer__epsilon": [0.5, 1.0, 2.0, 8.0]},
    cv=2,
    refit=False,
).fit(E_train[:4_000], y_train[:4_000])

print("mean log density of held-out rows, by GridSearchCV")
for parameters, score in zip(
    search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
):
    print(
        f"  epsilon = {parameters['dpembeddingsynthesizer__epsilon']:<4g} {score:10.1f}"
    )
n_fits = len(search.cv_results_["params"]) * search.n_splits_
print(
    "This table is not private. Its scores were computed on private records, and a\n"
    "choice made by them is one more look, which no ledger here has counted. The\n"
    f"{n_fits} fits are private one by one, but each has spent its own budget. To\n"
    "tune for real, search on public data of the same kind, and fit once."
)

# %%
# The figure
# ----------
# On the right, as many real as synthetic embeddings at two epsilons, all of them in one
# plane: that in which the class means of real images differ most. It is found from test
# images, which stand for public ones here, and other test images are the real rows that
# are drawn. Found from the records of the fit, it would be one more release.

import matplotlib.pyplot as plt
from sklearn.decomposition import PCA

N_SHOWN = 2_000
COLOURS = np.array(
    "#4477aa #e6a000 #228833 #cc3311 #66ccee "
    "#7b4fa3 #ee6677 #8c6d46 #555555 #c9519c".split()
)
E_public, y_public = E_test[N_SHOWN:], y_test[N_SHOWN:]
class_means = [
    E_public[y_public == label].mean(axis=0) for label in range(len(CLASS_NAMES))
]
plane = PCA(n_components=2, random_state=0).fit(class_means)
clouds = {"Real test images": (E_test[:N_SHOWN], y_test[:N_SHOWN])}
for epsilon in (args.epsilon, 8.0) if args.epsilon < 8.0 else (1.0, args.epsilon):
    E, y = rows[epsilon]
    shown = np.random.default_rng(0).permutation(len(E))[:N_SHOWN]
    clouds[f"Synthetic, ε = {epsilon:g}"] = E[shown], y[shown]

figure = plt.figure(figsize=(17, 5), layout="constrained")
left, right = figure.subfigures(1, 2, width_ratios=(1, 3))
curve = left.subplots()
scatters = right.subplots(1, len(clouds), sharex=True, sharey=True)

epsilons = sorted(accuracy)
lows, middles, highs = np.quantile(
    [accuracy[epsilon] for epsilon in epsilons], (0.0, 0.5, 1.0), axis=1
)
curve.axhline(real_accuracy, color="#555555", linestyle="--", linewidth=1.2)
curve.annotate(
    f"real rows, not private: {real_accuracy:.3f}",
    (epsilons[-1], real_accuracy),
    xytext=(0, 5),
    textcoords="offset points",
    ha="right",
    color="#555555",
)
curve.fill_between(epsilons, lows, highs, color="#4477aa", alpha=0.25, linewidth=0)
curve.plot(epsilons, middles, "o-", color="#4477aa")
for epsilon, low, middle in zip(epsilons, lows, middles, strict=True):
    curve.annotate(
        f"{middle:.3f}",
        (epsilon, low),
        xytext=(0, -16),
        textcoords="offset points",
        ha="center",
        color="#33587d",
    )
gap = real_accuracy - lows.min()
curve.set(
    title="Accuracy of a network on real test images",
    xlabel=f"ε of the rows that it was trained on; band: {N_REPEATS} fits",
    xscale="log",
    xticks=epsilons,
    xticklabels=[f"{epsilon:g}" for epsilon in epsilons],
    ylim=(real_accuracy - 1.35 * gap - 0.005, real_accuracy + 0.15 * gap + 0.005),
)
curve.minorticks_off()
curve.margins(x=0.1)
curve.grid(axis="y", color="#e4e4e4", linewidth=0.8)
curve.set_axisbelow(True)
curve.spines[["top", "right"]].set_visible(False)

for scatter, (title, (E, y)) in zip(scatters, clouds.items(), strict=True):
    Z = plane.transform(E)
    scatter.scatter(*Z.T, s=8, alpha=0.5, linewidths=0, c=COLOURS[y])
    for label, name in enumerate(CLASS_NAMES):  # a large dot at each class mean
        scatter.scatter(
            *Z[y == label].mean(axis=0),
            s=110,
            color=COLOURS[label],
            edgecolor="white",
            linewidth=1.5,
            label=name,
        )
    scatter.set(title=title, xticks=[], yticks=[])
    scatter.spines[:].set_color("#cccccc")
right.supxlabel(
    "one plane for all: where the class means of real images differ most; "
    "large dots: class means",
    fontsize="medium",
)
right.legend(
    *scatters[0].get_legend_handles_labels(),
    loc="outside upper center",
    ncols=10,
    frameon=False,
    markerscale=0.8,
    handletextpad=0.1,
    columnspacing=0.9,
)

output = args.output or cache_dir(args.cache) / "plot_fashion_mnist.png"
figure.savefig(output, dpi=150)
print(f"figure written to {output}")
print(f"{time.perf_counter() - start:.0f} s in all")
