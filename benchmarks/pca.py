"""How far private principal components are off, beside those of others.

One command::

    python -m benchmarks.pca

Each set is centred and scaled so that its largest norm is 1; this is taken as public,
and every method is told it. ``DPPCA`` is fitted with ``clip_norm=1.0``, a delta of n to
the power -1.1, and its defaults for all else; and once more with ``clip_norm="auto"``.
Both find the mean privately.

The peers are purely epsilon-private, which is more than an epsilon with a delta.
OpenDP's PCA is told the number of records, and finds the mean privately; diffprivlib's
is told that the rows are centred. On first use an environment is made for each in the
cache folder. One that needs more than ``--time-limit`` for a fit, or fails, is given up
on that set.

Printed are means over the seeds of the subspace error, the root mean squared sine of
the angles between the true and the private components, which is 1 where they have
nothing in common; and of the share of the variance that the private ones miss, of what
as many can have. Sets are drawn, with standard deviations of 1 / i in the i-th of d
random directions; the digits of scikit-learn; and, with ``--embeddings``, the first
array of npz files. Both peers draw by rejection, which takes the longer the more rows
and epsilon there are: drawn sets are small so that they come to an end at all. All is
written as JSON beside this file, or to ``--output``.
"""

import tempfile
from functools import partial
from itertools import product

import numpy as np
from sklearn.datasets import load_digits

from benchmarks.common.command import Results, parser_of
from benchmarks.common.timing import seconds
from benchmarks.peers.pca import start_peers
from benchmarks.peers.processes import PeerError
from examples._shared.fashion_mnist import cache_dir
from skdpgmm import DPPCA

OURS = {"DPPCA": 1.0, "DPPCA auto": "auto"}
MOST_ROWS = 20_000
WIDTHS = (20, 64, 128, 384, 768)


# --- data ----------------------------------------------------------------------
def power_law(n, d):
    """Rows whose standard deviations fall as 1 / i, about a mean that is not 0."""
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((d, d)))[0]
    X = rng.standard_normal((n, d)) / np.arange(1, d + 1)
    return X @ basis.T + rng.standard_normal(d) / np.sqrt(d)


def sets_of(args):
    """Sets of rows by name, as functions that make them."""
    sets = {f"power-law-{d}": partial(power_law, args.rows, d) for d in WIDTHS}
    sets["digits"] = lambda: load_digits().data
    for path in args.embeddings:
        sets[path.split("/")[-1]] = partial(embeddings, path)
    return sets


def embeddings(path):
    """Return the first rows of the first array of a file."""
    with np.load(path) as arrays:
        return np.asarray(arrays[arrays.files[0]][:MOST_ROWS], dtype=np.float64)


def scale(X):
    """Centre, and scale so that the largest norm is 1."""
    X = X - X.mean(axis=0)
    return X / np.linalg.norm(X, axis=1).max()


# --- measurements --------------------------------------------------------------
def errors(components, covariance):
    """Return the subspace error, and the share of the variance that is missed."""
    V, k = np.linalg.qr(components.T)[0], len(components)
    values, vectors = np.linalg.eigh(covariance)
    cosines = np.linalg.svd(vectors[:, -k:].T @ V, compute_uv=False)
    angle = np.sqrt(max(0.0, 1.0 - np.mean(cosines**2)))
    kept = np.trace(V.T @ covariance @ V) / values[-k:].sum()
    return {"error": float(angle), "missed": float(1.0 - kept)}


def fit_ours(clip_norm, X, k, epsilon, seed):
    """Return our components, and the seconds."""
    pca = DPPCA(
        k,
        epsilon=epsilon,
        delta=len(X) ** -1.1,
        clip_norm=clip_norm,
        random_state=np.random.RandomState(seed),
    )
    spent = seconds(lambda: pca.fit(X))
    return pca.components_, spent


def measure(X, args, fit):
    """Return what one method does on one set, and why it was given up, or None."""
    k = min(args.n_components, X.shape[1] // 2)
    covariance = np.cov(X.T)
    found = []
    for epsilon, seed in product(args.epsilon, range(args.seeds)):
        try:
            components, spent = fit(X, k, epsilon, seed)
        except PeerError as error:
            return {"fits": found, "failure": str(error)}
        wrong = errors(components, covariance)
        found.append({"epsilon": epsilon, "seed": seed, "seconds": spent, **wrong})
    return {"fits": found, "failure": None}


def mean(measured, epsilon, what):
    """Return the mean over the seeds that were fitted, or None."""
    values = [one[what] for one in measured["fits"] if one["epsilon"] == epsilon]
    return float(np.mean(values)) if values else None


# --- table ---------------------------------------------------------------------
def print_header(epsilons):
    texts = "".join(f"{f'eps {e:g}':>16}" for e in epsilons)
    print(f"\n{'set':>18}  {'method':12}{texts}{'s':>8}", flush=True)


def print_row(name, method, measured, epsilons):
    cells = []
    for epsilon in epsilons:
        pair = [mean(measured, epsilon, what) for what in ("error", "missed")]
        cells.append("-" if None in pair else f"{pair[0]:.3f} ({pair[1]:.3f})")
    times = [one["seconds"] for one in measured["fits"]]
    spent = f"{np.median(times):.2f}" if times else "-"
    said = f"  given up: {measured['failure']}" if measured["failure"] else ""
    row = "".join(f"{cell:>16}" for cell in cells)
    print(f"{name:>18}  {method:12}{row}{spent:>8}{said}", flush=True)


# --- command -------------------------------------------------------------------
def parse_arguments():
    parser = parser_of("pca", __doc__, "--cache", "--fresh")
    parser.add_argument("--epsilon", type=float, nargs="+", default=[0.1, 0.3, 1.0])
    parser.add_argument("--seeds", type=int, default=3, help="fits for each epsilon")
    parser.add_argument("--rows", type=int, default=2000, help="of drawn sets")
    parser.add_argument("--n-components", type=int, default=10)
    parser.add_argument("--time-limit", type=float, default=60.0, help="of one fit")
    parser.add_argument(
        "--embeddings", nargs="*", default=[], metavar="FILE", help="npz files"
    )
    parser.add_argument("--no-peers", action="store_true")
    return parser.parse_args()


def main():
    args = parse_arguments()
    results = Results(args, ("epsilon", "seeds", "rows", "n_components", "time_limit"))
    peers, skipped = [], {}
    with tempfile.TemporaryDirectory() as folder:
        if not args.no_peers:
            peers, skipped = start_peers(cache_dir(args.cache), args.time_limit, folder)
        for name, reason in skipped.items():
            print(f"{name}: skipped: {reason}")
        methods = {name: partial(fit_ours, norm) for name, norm in OURS.items()}
        methods |= {peer.name: peer.components for peer in peers}
        print_header(args.epsilon)
        try:
            for name, make in sets_of(args).items():
                X = scale(make())
                for method, fit in methods.items():
                    measured = results.once(
                        name, method, measure=partial(measure, X, args, fit)
                    )
                    print_row(name, method, measured, args.epsilon)
        finally:
            for peer in peers:
                peer.close()
    versions = {peer.name: peer.versions for peer in peers}
    results.save(skipped=skipped, versions_of_peers=versions)


if __name__ == "__main__":
    main()
