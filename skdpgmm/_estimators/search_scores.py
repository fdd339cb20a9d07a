"""Scores of candidates: noisy counts of right predictions, and what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import rankdata

from skdpgmm._algorithms.doubts import CLEAR, doubt
from skdpgmm._estimates.proportion import NoisySizes, mean_proportion, pooled_sizes
from skdpgmm._estimators.private_counts import release_counts

# Whether right predictions are counted for each class by itself. Each is a mean of
# shares of records, so that one record changes one count, by one.
SCORINGS = {"accuracy": False, "balanced_accuracy": True}
CONFIDENCE = 0.95


class Scores:
    """Noisy counts of what candidates got right, about the same records.

    Parameters
    ----------
    codes : ndarray of int of shape (n_samples,)
        Class of each record.
    n_classes : int
    kept : ndarray of bool of shape (n_samples,)
        Records that score.
    scoring : str
        Of `SCORINGS`.
    """

    def __init__(self, codes, n_classes, kept, scoring):
        self._by_class = SCORINGS[scoring]
        self._n_groups = n_classes if self._by_class else 1
        self._codes, self._kept = codes, kept
        self._counts: dict[int, np.ndarray] = {}  # (n_groups, 2)
        self._sds: dict[int, float] = {}

    def release(self, number, right, account):
        """Release the counts of a candidate.

        Parameters
        ----------
        number : int
            Of the candidate.
        right : ndarray of bool of shape (n_scored,)
            Whether it is right, for the records that score.
        account : Account
            All of it is spent.

        Returns
        -------
        counts : ndarray of shape (n_groups, 2)
            Of wrong and right predictions, of all classes or of each.
        """
        codes = np.zeros(len(self._codes), dtype=np.intp)
        codes[self._kept] = cells_of(self._codes[self._kept], right, self._n_groups)
        found = release_counts(codes, 2 * self._n_groups, self._kept, account)
        self._counts[number] = found.value.reshape(self._n_groups, 2)
        self._sds[number] = float(found.sd)
        return self._counts[number]

    def sizes(self) -> NoisySizes:
        """Return the noisy numbers of records that score, by group."""
        counts = np.stack(list(self._counts.values()))
        return pooled_sizes(counts, np.array(list(self._sds.values())))

    def table(self, n) -> dict[str, Any]:
        """Return columns of `cv_results_` of `n` candidates; nan of those not run."""
        columns = np.full((4, n), np.nan)
        sizes = self.sizes()
        for number, counts in self._counts.items():
            columns[:, number] = mean_proportion(
                counts, self._sds[number], sizes, CONFIDENCE
            )
        ranks = rankdata(-np.nan_to_num(columns[0], nan=-1.0), method="min")
        names = ("mean", "noise_sd", "low", "high")
        return {
            **{
                f"{name}_test_score": column
                for name, column in zip(names, columns, strict=True)
            },
            "rank_test_score": ranks.astype(np.int32),
        }

    def doubt_sizes(self):
        """Note when the records that score are too few to be told from noise."""
        sizes, sd = self.sizes()
        n_weak = int(np.count_nonzero(sizes < CLEAR * sd))
        if n_weak:
            what = f"{n_weak} of {len(sizes)} classes" if self._by_class else "all"
            doubt(
                f"The number of records that score, of {what}, cannot be told from "
                f"noise of standard deviation {sd:.3g}: scores are mostly noise, and "
                "so is the choice. Try fewer candidates, a larger epsilon, a larger "
                "test_size, or more records."
            )


def cells_of(codes, right, n_groups):
    """Return the count that each record is in: of its group, wrong or right.

    Groups are the classes of `codes`, or there is one of all.
    """
    return 2 * (codes if n_groups > 1 else 0) + right
