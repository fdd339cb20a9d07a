"""How good, and how safe, is a set of synthetic rows?

All scores but that of `private_accuracy` are exact functions of the rows that they
are given. When these are private, so is the score: publishing it is not covered by
the guarantee of the synthesizer.
"""

from skdpgmm.metrics._fidelity import (
    ManifoldScores,
    by_class,
    frechet_distance,
    manifold_scores,
    nearest_neighbor_distance_ratio,
)
from skdpgmm.metrics._utility import (
    PrivateAccuracy,
    private_accuracy,
    train_on_synthetic_accuracy,
)

__all__ = [
    "ManifoldScores",
    "PrivateAccuracy",
    "by_class",
    "frechet_distance",
    "manifold_scores",
    "nearest_neighbor_distance_ratio",
    "private_accuracy",
    "train_on_synthetic_accuracy",
]
