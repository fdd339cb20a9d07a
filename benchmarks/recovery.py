"""How well the parameters of a separated mixture are recovered under privacy.

One command::

    python -m benchmarks.recovery

Four Gaussians of unequal weights sit at the corners of a square whose side is the
separation, in a random plane of 2 or of 10 dimensions. Each is an ellipsoid of its
own; the geometric mean of its standard deviations is one, which is the unit of the
separation. Components are matched to the true ones by the Hungarian method. Errors
are the L1 distance of the weights, the largest Mahalanobis distance of a mean from
the true one, and the largest spectral norm of a whitened covariance less the
identity. A mixture counts as recovered when all means are within half a standard
deviation.

``DPGaussianMixture`` with its defaults and scikit-learn's ``GaussianMixture(n_init=3)``
are fitted to the same draws: for growing n, for growing epsilon, and for growing
separation. Medians and quartiles are printed and drawn, and the separation is stated
from which on at least half of the runs recover all components. Two lines are drawn
for comparison: the sampling error falls as 1 / sqrt(n), and is scaled to the means of
scikit-learn at the largest n; the privacy error falls as d / (n epsilon), and is
scaled to the means of the private fits at the smallest epsilon of the second panel.

The figure is written to ``--output``, and every single result as JSON beside it. What
is in that file already is not measured again, unless ``--fresh`` says so. A run is
repeated by ``run_one(Point(d, n, epsilon, separation), seed)``.
"""

from functools import partial
from itertools import chain
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from scipy.optimize import linear_sum_assignment
from scipy.stats import special_ortho_group
from sklearn.mixture import GaussianMixture

from benchmarks.common.command import Results, parser_of
from benchmarks.common.timing import seconds
from skdpgmm import DPGaussianMixture

WEIGHTS = np.array([0.1, 0.2, 0.3, 0.4])
RECOVERED = 0.5
ERRORS = ("weights", "means", "covariances")

# What is held where nothing else is said.
N, EPSILON, SEPARATION = 30_000, 1.0, 6.0
SIZES = [1_000, 3_000, 10_000, 30_000, 100_000, 300_000]
EPSILONS = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0]
SEPARATIONS = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0]
# The third panel has one curve for each of these.
PANEL_EPSILONS = [0.5, 1.0, 8.0]


class Point(NamedTuple):
    """One configuration; epsilon None is scikit-learn, without privacy."""

    d: int
    n: int
    epsilon: float | None
    separation: float


class Truth(NamedTuple):
    """Parameters of the mixture that is drawn from."""

    weights: np.ndarray
    means: np.ndarray
    roots: np.ndarray


def make_truth(d, separation, rng):
    """A square of Gaussians, off the origin, each turned and stretched on its own."""
    corners = np.array([[0, 0], [0, 1], [1, 1], [1, 0]]) - 0.5
    plane = special_ortho_group.rvs(d, random_state=rng)[:2]
    offset = 3.0 * rng.standard_normal(d) / np.sqrt(d)
    means = offset + separation * rng.permutation(corners) @ plane
    # Variances from 1/2 to 2.
    scales = np.geomspace(0.5, 2.0, d) ** 0.5
    roots = [special_ortho_group.rvs(d, random_state=rng) * scales for _ in WEIGHTS]
    return Truth(WEIGHTS, means, np.stack(roots))


def sample(truth, n, rng):
    """Rows of the mixture, in random order."""
    components = rng.choice(len(truth.weights), n, p=truth.weights)
    z = rng.standard_normal((n, truth.means.shape[1]))
    return truth.means[components] + np.einsum("nij,nj->ni", truth.roots[components], z)


def parameter_errors(truth, mixture):
    """Errors of the weights, means and covariances after matching the components."""
    inverses = np.linalg.inv(truth.roots)
    gaps = mixture.means_ - truth.means[:, None]  # (true, fitted, d)
    distances = np.linalg.norm(np.einsum("tij,tfj->tfi", inverses, gaps), axis=2)
    _, match = linear_sum_assignment(distances)
    whitened = inverses @ mixture.covariances_[match] @ np.swapaxes(inverses, 1, 2)
    excess = whitened - np.eye(truth.means.shape[1])
    return {
        "weights": float(np.abs(truth.weights - mixture.weights_[match]).sum()),
        "means": float(distances[np.arange(len(match)), match].max()),
        "covariances": float(np.linalg.norm(excess, 2, axis=(1, 2)).max()),
    }


def seed_of_noise(point, seed):
    """A seed for each fit: shared noise would mark a whole curve at once."""
    numbers = (point.d, point.n, 1000 * (point.epsilon or 0), 1000 * point.separation)
    sequence = np.random.SeedSequence([seed, *map(int, numbers)])
    return int(sequence.generate_state(1)[0])


def run_one(point, seed):
    """Draw, fit and compare; the draw does not depend on epsilon."""
    rng = np.random.default_rng([seed, point.d, point.n])
    truth = make_truth(point.d, point.separation, rng)
    X = sample(truth, point.n, rng)
    noise_seed = seed_of_noise(point, seed)
    if point.epsilon is None:
        mixture = GaussianMixture(len(WEIGHTS), n_init=3, random_state=noise_seed)
    else:
        mixture = DPGaussianMixture(
            len(WEIGHTS), epsilon=point.epsilon, random_state=noise_seed
        )
    spent = seconds(partial(mixture.fit, X))
    errors = parameter_errors(truth, mixture)
    return {
        **point._asdict(),
        "seed": seed,
        "random_state": noise_seed,
        **errors,
        "recovered": errors["means"] < RECOVERED,
        "seconds_beside_other_jobs": spent,
    }


class Grid(NamedTuple):
    """What the three panels go through, for each number of features."""

    features: list
    sizes: list
    epsilons: list
    separations: list

    def by_size(self, d, epsilon):
        return [Point(d, n, epsilon, SEPARATION) for n in self.sizes]

    def by_epsilon(self, d):
        return [Point(d, N, epsilon, SEPARATION) for epsilon in self.epsilons]

    def by_separation(self, d, epsilon):
        return [Point(d, N, epsilon, s) for s in self.separations]

    def points(self):
        """Every configuration once; the panels share some."""
        wanted = []
        for d in self.features:
            # The level without privacy in the second panel.
            wanted.append(Point(d, N, None, SEPARATION))
            wanted += self.by_size(d, None) + self.by_size(d, EPSILON)
            wanted += self.by_epsilon(d)
            for epsilon in (None, *PANEL_EPSILONS):
                wanted += self.by_separation(d, epsilon)
        return list(dict.fromkeys(wanted))


class Runs:
    """Records of all runs, by configuration."""

    def __init__(self, records):
        self.records = {}
        for r in records:
            point = Point(*(r[name] for name in Point._fields))
            self.records.setdefault(point, []).append(r)

    def quartiles(self, point, error):
        """First quartile, median and third quartile of one error."""
        values = [r[error] for r in self.records[point]]
        return np.percentile(values, [25, 50, 75])

    def fraction(self, point):
        """Fraction of the runs that recover all components."""
        return float(np.mean([r["recovered"] for r in self.records[point]]))

    def onset(self, points):
        """Least separation from which on at least half of the runs recover, or None."""
        onset = None
        for point in reversed(points):
            if self.fraction(point) < 0.5:
                break
            onset = point.separation
        return onset


def reference_scales(grid, runs, d):
    """Factors of 1 / sqrt(n) and d / (n epsilon) that fit one point each."""
    largest = Point(d, max(grid.sizes), None, SEPARATION)
    noisiest = Point(d, N, min(grid.epsilons), SEPARATION)
    sampling = runs.quartiles(largest, "means")[1] * np.sqrt(largest.n)
    privacy = runs.quartiles(noisiest, "means")[1] * N * noisiest.epsilon / d
    return float(sampling), float(privacy)


def label_of(epsilon):
    return "scikit-learn" if epsilon is None else f"epsilon {epsilon:g}"


def print_errors(title, points, runs):
    """Print the median and quartiles of the errors, one line for each point."""
    print(f"\n{title}")
    head = "".join(f"{error:>24}" for error in ERRORS)
    print(f"{'n':>9}  {'':12}{head}  recovered")
    for point in points:
        cells = ""
        for error in ERRORS:
            low, middle, high = runs.quartiles(point, error)
            cells += f"{f'{middle:.4f} ({low:.4f}-{high:.4f})':>24}"
        print(
            f"{point.n:9,}  {label_of(point.epsilon):12}{cells}"
            f"  {runs.fraction(point):9.2f}"
        )


def print_separations(d, grid, runs):
    """Print the fraction of runs that recover, and where half of them start to."""
    print(f"\nd {d}, n {N:,}: fraction of runs that recover all means, by separation")
    print(" " * 14 + "".join(f"{s:>6g}" for s in grid.separations) + "  half from")
    for epsilon in (None, *PANEL_EPSILONS):
        points = grid.by_separation(d, epsilon)
        onset = runs.onset(points)
        print(
            f"{label_of(epsilon):>14}"
            + "".join(f"{runs.fraction(p):6.2f}" for p in points)
            + ("      never" if onset is None else f"{onset:11g}")
        )


def print_tables(grid, runs):
    """Print everything that the figure shows."""
    for d in grid.features:
        pairs = zip(grid.by_size(d, None), grid.by_size(d, EPSILON), strict=True)
        by_size = [point for pair in pairs for point in pair]
        title = f"d {d}, separation {SEPARATION:g}: median (quartiles) of errors"
        print_errors(f"{title} by n", by_size, runs)
        by_epsilon = [Point(d, N, None, SEPARATION), *grid.by_epsilon(d)]
        print_errors(f"{title} by epsilon", by_epsilon, runs)
        print_separations(d, grid, runs)


def panels_of(grid, runs):
    """What the figure shows, one entry for each number of features."""
    panels = []
    for d in grid.features:
        sampling, privacy = reference_scales(grid, runs, d)

        def quartiles(points, error="means"):
            return np.transpose([runs.quartiles(p, error) for p in points])

        by_separation = {}
        for epsilon in (None, *PANEL_EPSILONS):
            points = grid.by_separation(d, epsilon)
            fractions = [runs.fraction(p) for p in points]
            onset = runs.onset(points)
            by_separation[epsilon] = grid.separations, fractions, onset
        panels.append(
            {
                "d": d,
                "by_size": {
                    (epsilon, error): (
                        grid.sizes,
                        quartiles(grid.by_size(d, epsilon), error),
                    )
                    for epsilon in (None, EPSILON)
                    for error in ERRORS
                },
                "by_epsilon": (
                    grid.epsilons,
                    quartiles(grid.by_epsilon(d)),
                    runs.quartiles(Point(d, N, None, SEPARATION), "means")[1],
                ),
                "by_separation": by_separation,
                "references": {
                    "by_size": lambda n, a=sampling, b=privacy, d=d: (
                        a / np.sqrt(n),
                        b * d / (n * EPSILON),
                    ),
                    "by_epsilon": lambda e, b=privacy, d=d: b * d / (N * e),
                },
                "settings": {
                    "by_size": f"epsilon {EPSILON:g}, separation {SEPARATION:g}",
                    "by_epsilon": f"n {N:,}, separation {SEPARATION:g}",
                    "by_separation": f"n {N:,}",
                },
            }
        )
    return panels


def parse_arguments():
    parser = parser_of("recovery", __doc__, "--jobs", "--fresh", output=".png")
    parser.add_argument("--features", type=int, nargs="+", default=[2, 10])
    parser.add_argument("--seeds", type=int, default=15, help="runs of each point")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument(
        "--quick", action="store_true", help="three runs of fewer points"
    )
    return parser.parse_args()


def main():
    args = parse_arguments()
    grid = Grid(args.features, SIZES, EPSILONS, SEPARATIONS)
    if args.quick:
        args.seeds = 3
        grid = Grid(args.features, SIZES[:4:3], EPSILONS[::3], SEPARATIONS[::3])
    results = Results(args, ("seeds", "first_seed", "quick"))
    seeds = range(args.first_seed, args.first_seed + args.seeds)

    def measure(d):
        cases = [(p, seed) for p in grid.points() if p.d == d for seed in seeds]
        return Parallel(args.jobs, verbose=1)(delayed(run_one)(*c) for c in cases)

    records = [
        results.once(f"d {d}", measure=partial(measure, d)) for d in grid.features
    ]
    runs = Runs(chain.from_iterable(records))
    print_tables(grid, runs)
    results.save(delta=DPGaussianMixture().delta)
    # Imported here: matplotlib is an extra, and the tables do without.
    from benchmarks.figures.recovery import draw

    draw(panels_of(grid, runs), args.output)


if __name__ == "__main__":
    main()
