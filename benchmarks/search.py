"""What a private search finds, beside the best of its candidates.

For each data set: the accuracy on test records that each of ten candidates has when it
alone is given the whole epsilon, as a mean over seeds; that of the settings which
`PrivateSearchCV` has chosen at the same epsilon in all; and that of the models which it
has returned, whose budget has paid for the search too.
"""

from pathlib import Path

import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from benchmarks.common.command import Results, parser_of
from skdpgmm import DPLogisticRegression, PrivateSearchCV

COLUMNS = ("best", "median", "worst", "setting", "loss", "model")


def digits():
    """Return the handwritten digits of scikit-learn, and a bound of their norms."""
    X, y = load_digits(return_X_y=True)
    return *train_test_split(X / 16.0, y, test_size=0.3, random_state=0), 8.0


def embeddings(path, n_train):
    """Return arrays X, y, Xt, yt of a file, of which the rows have norm 1."""
    arrays = np.load(path)
    X, y = arrays["X"][:n_train], arrays["y"][:n_train]
    return X, arrays["Xt"], y, arrays["yt"], 1.0


def grid_of(radius):
    """Return ten settings: curved boundaries, bounds too tight and too wide."""
    return [
        {"n_random_features": [0, 32, 128]},
        {"clip_norm": [radius / 8, radius / 4, radius / 2, 4 * radius, 16 * radius]},
        {"n_random_features": [64], "clip_norm": [radius / 2, 4 * radius]},
    ]


def measure(data, epsilon, n_seeds):
    """Return the accuracy of each candidate alone, and of what searches find."""
    X, X_test, y, y_test, radius = data
    classes = np.unique(y)  # taken as public, as of a benchmark
    base = DPLogisticRegression(clip_norm=radius, classes=classes)
    found = [
        PrivateSearchCV(base, grid_of(radius), epsilon=epsilon).fit(X, y)
        for _ in range(n_seeds)
    ]
    settings = found[0].cv_results_["params"]
    alone = [
        [
            clone(base)
            .set_params(epsilon=epsilon, **params)
            .fit(X, y)
            .score(X_test, y_test)
            for _ in range(n_seeds)
        ]
        for params in settings
    ]
    return {
        "settings": settings,
        "alone": alone,
        "chosen": [one.best_index_ for one in found],
        "models": [one.score(X_test, y_test) for one in found],
        "noise": [
            float(np.max(one.cv_results_["noise_sd_test_score"])) for one in found
        ],
    }


def columns_of(entry):
    """Return the row of a data set."""
    alone = np.mean(entry["alone"], axis=1)
    setting = float(np.mean(alone[entry["chosen"]]))
    best = float(alone.max())
    model = float(np.mean(entry["models"]))
    values = (best, float(np.median(alone)), float(alone.min()), setting)
    return dict(zip(COLUMNS, (*values, best - setting, model), strict=True))


def parse_arguments():
    parser = parser_of("search", __doc__, "--fresh")
    parser.add_argument("--epsilon", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--n-train", type=int, default=20_000, help="at most")
    parser.add_argument(
        "--embeddings",
        nargs="*",
        type=Path,
        default=[],
        metavar="NPZ",
        help="files with X, y, Xt, yt and rows of norm 1",
    )
    return parser.parse_args()


def main():
    args = parse_arguments()
    results = Results(args, ("epsilon", "seeds", "n_train"))
    sets = {"digits": digits}
    for path in args.embeddings:
        sets[path.stem] = lambda path=path: embeddings(path, args.n_train)
    print(f"{'data':<12}" + "".join(f"{name:>9}" for name in COLUMNS))
    for name, load in sets.items():
        entry = results.once(
            name, measure=lambda load=load: measure(load(), args.epsilon, args.seeds)
        )
        cells = "".join(f"{value:>9.3f}" for value in columns_of(entry).values())
        print(f"{name:<12}{cells}", flush=True)


if __name__ == "__main__":
    main()
