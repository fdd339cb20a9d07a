"""Held-out log-likelihood of private Gaussian mixtures, with defaults only.

One command::

    python -m benchmarks.mixture

Each setting is drawn afresh several times. ``DPGaussianMixture`` is fitted with its
defaults for each epsilon, and its mean log-likelihood on as many held-out rows is
compared with that of the true density, where there is one, and with that of
scikit-learn's ``GaussianMixture(n_init=3)``: a gap is ours less theirs, in nats a
row, so that negative numbers are losses. Two more fits are printed beside it: with
a public ``clip_norm``, the largest norm of a public draw of its own, which shows the
cost of ``clip_norm="auto"``; and "one hard pass", ``max_iter=0``, the naive method
of private k-means and one release of moments.

Settings A to F are random mixtures. B and D come also as tied, diag and spherical
ones, fitted as what they are. ``t4`` has components with 4 degrees of freedom,
``moons`` is two half circles, and ``digits`` the images of scikit-learn in 8
principal components, which are those of the held-out half: that half is public.

It also prints the time of a fit at epsilon 1 over that of ``GaussianMixture`` in the
same process, one after the other. Every fit has the seed of its draw, so that a run
can be repeated: its noise differs between epsilons in scale only. No two settings
share a seed. Every single result is written as JSON beside this file, or to
``--output``; a setting that is in it already is not measured again, unless ``--fresh``
says so.
"""

import math
from functools import partial
from itertools import chain
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from sklearn.datasets import make_moons
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from benchmarks.common.command import Results, parser_of
from benchmarks.common.datasets import digits, random_mixture
from benchmarks.common.timing import seconds
from skdpgmm import DPGaussianMixture

DELTA = 1e-5
# A run that loses more than this is listed with its seed, to be looked into.
LOST = 0.1


class Setting(NamedTuple):
    """What is drawn, and what is fitted to it."""

    name: str
    n: int
    d: int
    k: int
    covariance_type: str = "full"
    kind: str = "mixture"


class Draw(NamedTuple):
    """Rows to fit, rows to score, a public radius, and the true density or None."""

    train: np.ndarray
    test: np.ndarray
    radius: float
    truth: GaussianMixture | None


def all_settings():
    """Every setting by its name, in the order of the tables."""
    main = [
        Setting("A", 20_000, 2, 3),
        Setting("B", 20_000, 5, 5),
        Setting("C", 100_000, 10, 8),
        Setting("D", 5_000, 2, 3),
        Setting("E", 5_000, 2, 6),
        Setting("F", 200_000, 20, 5),
    ]
    own_kind = [
        s._replace(name=f"{s.name}-{shape}", covariance_type=shape)
        for shape in ("tied", "diag", "spherical")
        for s in (main[1], main[3])
    ]
    other = [
        Setting("t4", 20_000, 5, 5, kind="t4"),
        Setting("moons", 20_000, 2, 8, kind="moons"),
        Setting("digits", 898, 8, 10, kind="digits"),
    ]
    return {s.name: s for s in main + own_kind + other}


def seeds_of(setting, first, count):
    """Seeds of one setting, which do not depend on what other settings are run."""
    start = first + 100 * list(all_settings()).index(setting.name)
    return range(start, start + count)


def draw(setting, seed):
    """Draw the data of one setting."""
    if setting.kind == "digits":
        return draw_digits(setting, seed)
    if setting.kind == "moons":
        X = make_moons(3 * setting.n, noise=0.1, random_state=seed)[0]
        return split(X, setting.n, None)
    truth = random_mixture(setting.d, setting.k, seed, setting.covariance_type)
    # An integer would make every call of `sample` return the same rows.
    truth.random_state = np.random.RandomState(seed)
    X, components = truth.sample(3 * setting.n)
    rng = np.random.default_rng([seed, 1])
    if setting.kind == "t4":
        centers = truth.means_[components]
        scales = np.sqrt(rng.chisquare(4, (len(X), 1)) / 4)
        X, truth = centers + (X - centers) / scales, None
    # `sample` sorts its rows by component.
    return split(rng.permutation(X), setting.n, truth)


def split(X, n, truth):
    """Split rows into three parts: private, held out, and public."""
    train, test, public = X[:n], X[n : 2 * n], X[2 * n :]
    return Draw(train, test, largest_norm(public), truth)


def draw_digits(setting, seed):
    """Halve the digits, and turn both halves to the components of the second."""
    X = np.random.default_rng(seed).permutation(digits())
    train, test = X[: setting.n], X[setting.n : 2 * setting.n]
    pca = PCA(setting.d).fit(test)
    test = pca.transform(test)
    return Draw(pca.transform(train), test, largest_norm(test), None)


def largest_norm(X):
    return float(np.linalg.norm(X, axis=1).max())


def plain(setting, seed, n_init=3):
    return GaussianMixture(
        setting.k,
        covariance_type=setting.covariance_type,
        n_init=n_init,
        random_state=seed,
    )


def private(setting, seed, epsilon, **public):
    return DPGaussianMixture(
        setting.k,
        epsilon=epsilon,
        delta=DELTA,
        covariance_type=setting.covariance_type,
        random_state=seed,
        **public,
    )


def candidates(setting, seed, epsilons, radius):
    """Yield the method, epsilon and estimator of every fit to one draw."""
    yield "scikit-learn, best of 3", None, plain(setting, seed)
    yield "scikit-learn, best of 10", None, plain(setting, seed, 10)
    for epsilon in epsilons:
        yield "defaults", epsilon, private(setting, seed, epsilon)
        yield (
            "public radius",
            epsilon,
            private(setting, seed, epsilon, clip_norm=radius),
        )
        yield "one hard pass", epsilon, private(setting, seed, epsilon, max_iter=0)


def evaluate(setting, seed, epsilons):
    """Fit everything to one draw; returns one record for each fit."""
    data = draw(setting, seed)
    truth = None if data.truth is None else data.truth.score(data.test)
    records = []
    for method, epsilon, mixture in candidates(setting, seed, epsilons, data.radius):
        spent = seconds(partial(mixture.fit, data.train))
        score = mixture.score(data.test)
        if not records:
            reference = score
        records.append(
            {
                "setting": setting.name,
                "seed": seed,
                "method": method,
                "epsilon": epsilon,
                "score": score,
                "gap_to_truth": None if truth is None else score - truth,
                "gap_to_scikit_learn": score - reference,
                "seconds_beside_other_jobs": spent,
            }
        )
    return records


def measure_fits(setting, seeds, args):
    """Return the records of all draws of one setting."""
    fits = (
        delayed(evaluate)(setting, seed, args.epsilon) for seed in seeds[setting.name]
    )
    return list(chain.from_iterable(Parallel(args.jobs)(fits)))


def gap(record):
    """The gap to the true density, or to scikit-learn where none is known."""
    if record["gap_to_truth"] is None:
        return record["gap_to_scikit_learn"]
    return record["gap_to_truth"]


def mean_and_worst(gaps):
    if not gaps or gaps[0] is None:
        return f"{'-':>8} {'-':>8} "
    return f"{np.mean(gaps):+8.4f} {np.min(gaps):+8.4f} "


def print_header(setting, n_draws):
    """Print what is drawn, and the names of the columns."""
    last = "to scikit-learn" if setting.kind != "mixture" else "to the truth"
    groups = ("to the truth", "to scikit-learn", 'cost of "auto"', "one hard pass,")
    print(
        f"\n{setting.name}: n {setting.n:,}, d {setting.d}, k {setting.k}, "
        f"{setting.covariance_type}, {n_draws} draws"
    )
    print(" " * 26 + "".join(f"{name:>17} " for name in groups))
    print(" " * 26 + f"{'mean':>8} {'worst':>8} " * 3 + f"{last:>17}")


def print_table(setting, records, epsilons):
    """Print the gaps of one setting, one line for each epsilon."""
    print_header(setting, len({r["seed"] for r in records}))

    def pick(method, epsilon=None):
        return [r for r in records if (r["method"], r["epsilon"]) == (method, epsilon)]

    for epsilon in epsilons:
        ours = pick("defaults", epsilon)
        auto = [
            gap(a) - gap(b)
            for a, b in zip(ours, pick("public radius", epsilon), strict=True)
        ]
        print(
            f"{f'epsilon {epsilon:g}':>24}  "
            + mean_and_worst([r["gap_to_truth"] for r in ours])
            + mean_and_worst([r["gap_to_scikit_learn"] for r in ours])
            + mean_and_worst(auto)
            + mean_and_worst([gap(r) for r in pick("one hard pass", epsilon)])
        )
    for method in ("scikit-learn, best of 3", "scikit-learn, best of 10"):
        print(
            f"{method:>24}  "
            + mean_and_worst([r["gap_to_truth"] for r in pick(method)])
            + mean_and_worst([r["gap_to_scikit_learn"] for r in pick(method)]),
            flush=True,
        )


def measure_times(setting, seeds):
    """Seconds of scikit-learn and of ours at epsilon 1, in turn, on each draw."""
    spent = []
    for seed in seeds:
        X = draw(setting, seed).train
        theirs = seconds(partial(plain(setting, seed).fit, X))
        ours = seconds(partial(private(setting, seed, 1.0).fit, X))
        spent.append((theirs, ours))
    return spent


def print_times(times):
    """Print the median time of a fit, and the median and range of the ratio."""
    print("\nSeconds of a fit: ours at epsilon 1, GaussianMixture(n_init=3), ratio")
    for name, spent in times.items():
        ratios = [ours / theirs for theirs, ours in spent]
        theirs, ours = np.median(spent, axis=0)
        print(
            f"{name:>24}  {ours:8.2f} {theirs:8.2f} {np.median(ratios):8.2f}"
            f"  ({min(ratios):.2f} to {max(ratios):.2f})"
        )


def print_lost(records):
    """Print the runs with defaults that lose more than `LOST` to scikit-learn."""
    # The better of its two fits, because it too falls into bad optima.
    best = {}
    for r in records:
        if r["epsilon"] is None:
            key = r["setting"], r["seed"]
            best[key] = max(best.get(key, -math.inf), r["score"])
    lost = []
    for r in records:
        loss = best[r["setting"], r["seed"]] - r["score"]
        if r["method"] == "defaults" and loss > LOST:
            lost.append((r, loss))
    print(f"\nRuns with defaults that lose more than {LOST} nats: {len(lost)}")
    for r, loss in lost:
        print(
            f"{r['setting']:>24}  seed {r['seed']}, epsilon {r['epsilon']:g}, "
            f"{-loss:+.3f}"
        )


def parse_arguments():
    settings = all_settings()
    parser = parser_of("mixture", __doc__, "--jobs", "--fresh")
    parser.add_argument(
        "--settings",
        nargs="+",
        default=list(settings),
        choices=list(settings),
        metavar="NAME",
        help=f"some of {', '.join(settings)}",
    )
    parser.add_argument(
        "--epsilon", type=float, nargs="+", default=[0.5, 1.0, 2.0, 8.0, math.inf]
    )
    parser.add_argument("--seeds", type=int, default=5, help="draws of each setting")
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument(
        "--quick", action="store_true", help="two draws, at most 5,000 rows, no times"
    )
    args = parser.parse_args()
    args.settings = [settings[name] for name in args.settings]
    if args.quick:
        args.seeds = 2
        args.settings = [s._replace(n=min(s.n, 5_000)) for s in args.settings]
    return args


def main():
    args = parse_arguments()
    results = Results(args, ("epsilon", "seeds", "first_seed", "quick"))
    seeds = {s.name: seeds_of(s, args.first_seed, args.seeds) for s in args.settings}
    if not args.quick:
        # Times first, while nothing runs beside them.
        times = {
            s.name: results.once(
                s.name, "times", measure=partial(measure_times, s, seeds[s.name][:3])
            )
            for s in args.settings
        }
        print_times(times)
    print(
        "Mean log-likelihood of held-out rows less that of the reference, in nats:\n"
        'of the defaults; the same less that with a public radius, "cost of auto";\n'
        "and of one hard pass"
    )
    kept = []
    for setting in args.settings:
        records = results.once(
            setting.name, "fits", measure=partial(measure_fits, setting, seeds, args)
        )
        print_table(setting, records, args.epsilon)
        kept += records
    print_lost(kept)
    settings = {s.name: s._asdict() for s in args.settings}
    results.save(delta=DELTA, about_settings=settings)


if __name__ == "__main__":
    main()
