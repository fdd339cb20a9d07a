"""How much of what is claimed one record attains, and that no audit finds more.

One command, about half an hour on two cores::

    python -m benchmarks.audit

For every private estimator, at epsilon 0.5, 1 and 4 and for both adjacencies,
`skdpgmm.audit` looks for the worst neighbours of iris, and attacks the transcripts of
fits. The table has, over the claimed mu: the distance along paths (the root of its mean
square, without noise), the estimate with the noise as measured, the bound, and what a
perfect attacker would be bounded at; and the three releases of which most of the claim
is not attained. Under "replace-one" no two records move all releases by what is stated
of each: sums where they are opposite, counts and second moments where they are not.

Then many audits of one estimator, of 40 runs each: in how many a bound is above the
claim, which each may be in one of twenty.
"""

import warnings

import numpy as np
from sklearn.datasets import load_iris

from benchmarks.common.command import Results, parser_of
from skdpgmm import (
    DPPCA,
    DPEmbeddingSynthesizer,
    DPGaussianMixture,
    DPKMeans,
    DPLogisticRegression,
    audit,
)
from skdpgmm._audit.bounds import claimed_mu
from skdpgmm._audit.neighbours import Dataset, farthest
from skdpgmm._audit.paths import with_transcript
from skdpgmm._audit.runs import Pair, Seeds, fitted, paths
from skdpgmm._audit.verdicts import by_transcript

ESTIMATORS = {
    "k-means": (DPKMeans(3), False),
    "mixture": (DPGaussianMixture(3), False),
    "PCA": (DPPCA(2), False),
    "logistic": (DPLogisticRegression(), True),
    "synthesizer": (DPEmbeddingSynthesizer(label_model=False), True),
    "synthesizer, labels": (DPEmbeddingSynthesizer(label_model=True), True),
}
EPSILONS = (0.5, 1.0, 4.0)
# Of many audits, whose few runs would bound a smaller one at nothing.
LARGE = 16.0
ADJACENCIES = ("add-remove", "replace-one")


def measured(name, epsilon, adjacency, n_runs):
    """Return what an audit finds, over the claim."""
    estimator, labelled = ESTIMATORS[name]
    estimator.set_params(epsilon=epsilon, adjacency=adjacency)
    X, y = load_iris(return_X_y=True)
    found = audit(estimator, X, y if labelled else None, n_runs=n_runs, random_state=0)
    lost = [(one.share * (1.0 - one.attained**2), one.name) for one in found.releases]
    attained = sum(one.share * one.attained**2 for one in found.releases)
    return {
        "path": np.sqrt(attained),
        "longest path": found.distance / found.mu,
        "estimate": found.estimate / found.mu,
        "bound": found.bound / found.mu,
        "ceiling": found.ceiling / found.mu,
        "passed": found.passed,
        "lost": {text: share for share, text in sorted(lost)[:-4:-1]},
    }


def audits(n_audits, n_runs):
    """Return in how many of many audits of one pair the bound is above the claim."""
    data = Dataset(load_iris().data, None, None)
    seeds = Seeds(np.random.default_rng(0), True)
    pca = DPPCA(2, epsilon=LARGE)
    pilot = with_transcript(fitted(pca, data, seeds.next()))
    (unit,) = farthest(data, [pilot], "add-remove", seeds.rng)
    pair = Pair(data, data.with_unit(unit, None), None)
    found = paths(pca, pair, seeds, n_audits * n_runs, None, 0)
    told = [
        by_transcript(found[i : i + n_runs], 0.95) for i in range(0, len(found), n_runs)
    ]
    mu = claimed_mu(LARGE, 1e-5)
    return {
        "audits": n_audits,
        "runs of each": n_runs,
        "bound above the claim": sum(one["bound"] > mu for one in told),
        "Gaussian bound above": sum(one["gaussian_bound"] > mu for one in told),
        "mean bound": float(np.mean([one["bound"] for one in told])),
        "mean estimate": float(np.mean([one["estimate"] for one in told])),
        "mu": mu,
    }


def main():
    parser = parser_of("audit", __doc__, "--fresh")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--audits", type=int, default=200)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    results = Results(args, ("runs", "audits"))
    columns = ("path", "longest path", "estimate", "bound", "ceiling")
    head = "  ".join(f"{column:>12}" for column in columns)
    print(f"{'over the claimed mu':40}  {head}  not attained, of mu^2")
    for adjacency in ADJACENCIES:
        for epsilon in EPSILONS:
            for name in ESTIMATORS:
                keys = name, epsilon, adjacency
                one = results.once(
                    *keys, measure=lambda keys=keys: measured(*keys, args.runs)
                )
                numbers = "  ".join(f"{one[column]:12.3f}" for column in columns)
                lost = ", ".join(f"{t} {x:.3f}" for t, x in one["lost"].items())
                case = f"{name}, epsilon {epsilon:g}, {adjacency}"
                print(f"{case:40}  {numbers}  {lost}", flush=True)
    for what, value in results.once(
        "audits", measure=lambda: audits(args.audits, 40)
    ).items():
        print(f"{what}: {value:.4g}")


if __name__ == "__main__":
    main()
