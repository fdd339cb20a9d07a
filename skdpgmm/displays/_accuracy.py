"""How accurate which epsilon is."""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.utils.validation import (
    check_array,
    check_consistent_length,
    check_is_fitted,
)

from skdpgmm.displays._figure import new_axes


class AccuracyEpsilonDisplay:
    """Accuracy against epsilon, with intervals.

    Parameters
    ----------
    epsilons : array-like of shape (n_epsilons,)
        Privacy loss of each fit, positive.
    scores : array-like of shape (n_epsilons,)
        Accuracy of each.
    low, high : array-like of shape (n_epsilons,), default=None
        Ends of an interval about each.
    score_name : str, default="accuracy"
        What the scores are.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The scores.
    errorbar_ : ErrorbarContainer or None
        The intervals, where there are some.
    ax_ : matplotlib Axes
        Axes of the figure.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    skdpgmm.PrivateSearchCV : Finds epsilons and scores privately.

    Notes
    -----
    Privacy: `from_estimator` draws the noisy scores of a private search, which has
    paid for them. What `from_results` draws is as private as what it is given:
    accuracies on private records are not, nor is the choice of an epsilon by them.

    Examples
    --------
    >>> from skdpgmm.displays import AccuracyEpsilonDisplay
    >>> display = AccuracyEpsilonDisplay.from_results([2, 1], [0.9, 0.8])
    >>> display.epsilons.tolist(), display.scores.tolist()
    ([1.0, 2.0], [0.8, 0.9])
    """

    def __init__(
        self, *, epsilons, scores, low=None, high=None, score_name="accuracy"
    ) -> None:
        self.epsilons = epsilons
        self.scores = scores
        self.low = low
        self.high = high
        self.score_name = score_name

    @classmethod
    def from_estimator(cls, search, *, ax=None, name=None, **kwargs) -> Self:
        """Draw the scores of a fitted `PrivateSearchCV` over epsilon.

        Where other parameters were searched too, the best candidate of each epsilon
        is shown, by its noisy score. Candidates that were not run are left out.

        Parameters
        ----------
        search : PrivateSearchCV
            Fitted, with an epsilon in its `param_grid`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        name : str, default=None
            For a legend; None has none.
        **kwargs : dict
            Of ``Axes.plot``.

        Returns
        -------
        display : AccuracyEpsilonDisplay
            What was drawn.

        Raises
        ------
        ValueError
            When no epsilon was searched, or the scores are not private.
        """
        check_is_fitted(search, "cv_results_")
        results = search.cv_results_
        if "low_test_score" not in results:
            raise ValueError(
                "search must be a PrivateSearchCV, whose scores are private, got "
                f"{type(search).__name__}."
            )
        epsilons = _epsilons(results["params"])
        scores = results["mean_test_score"]
        best = [
            max(np.flatnonzero(epsilons == epsilon), key=lambda i: scores[i])
            for epsilon in np.unique(epsilons[np.isfinite(epsilons + scores)])
        ]
        display = cls.from_results(
            epsilons[best],
            scores[best],
            low=results["low_test_score"][best],
            high=results["high_test_score"][best],
            score_name=search.scoring.replace("_", " "),
        )
        return display.plot(ax, name=name, **kwargs)

    @classmethod
    def from_results(
        cls, epsilons, scores, *, low=None, high=None, score_name="accuracy"
    ) -> Self:
        """Make the display of epsilons and scores; `plot` draws it.

        Parameters
        ----------
        epsilons : array-like of shape (n_epsilons,)
            Privacy loss of each fit, positive.
        scores : array-like of shape (n_epsilons,)
            Accuracy of each.
        low, high : array-like of shape (n_epsilons,), default=None
            Ends of an interval about each; both or none.
        score_name : str, default="accuracy"
            What the scores are.

        Returns
        -------
        display : AccuracyEpsilonDisplay
            Not drawn yet, in order of epsilon.

        Raises
        ------
        ValueError
            When lengths differ, numbers are not finite, an epsilon is not positive, or
            one end of the intervals is missing.
        """
        if (low is None) != (high is None):
            raise ValueError("low and high must be given both, or none of them.")
        given = {"epsilons": epsilons, "scores": scores, "low": low, "high": high}
        columns = {
            name: check_array(
                values, ensure_2d=False, dtype=np.float64, input_name=name
            )
            for name, values in given.items()
            if values is not None
        }
        check_consistent_length(*columns.values())
        if not np.all(columns["epsilons"] > 0.0):
            raise ValueError(f"epsilons must be positive, got {epsilons!r}.")
        order = np.argsort(columns["epsilons"], kind="stable")
        columns = {name: values[order] for name, values in columns.items()}
        return cls(**columns, score_name=score_name)

    def plot(self, ax=None, *, name=None, **kwargs) -> Self:
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        name : str, default=None
            For a legend; None has none.
        **kwargs : dict
            Of ``Axes.plot``.

        Returns
        -------
        display : AccuracyEpsilonDisplay
            The display itself.
        """
        ax = new_axes(self, ax, figsize=(5.4, 4.0))
        # Other curves in the same axes may have other epsilons.
        before = ax.get_xticks() if ax.lines else self.epsilons
        style = {"marker": "o", "label": name, **kwargs}
        (self.line_,) = ax.plot(self.epsilons, self.scores, **style)
        self.errorbar_ = None
        if self.low is not None:
            # A noisy score may lie outside of the accuracies that are possible.
            ends = [self.scores - self.low, self.high - self.scores]
            self.errorbar_ = ax.errorbar(
                self.epsilons,
                self.scores,
                np.maximum(ends, 0.0),
                fmt="none",
                ecolor=self.line_.get_color(),
                capsize=3,
            )
        ax.set(xscale="log", xlabel="epsilon", ylabel=self.score_name)
        shown = np.union1d(before, self.epsilons)
        ax.set_xticks(shown, [f"{epsilon:g}" for epsilon in shown])
        ax.minorticks_off()
        if name is not None:
            ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _epsilons(params):
    """Return the epsilon of each candidate, nan where it has none of its own."""
    names = {
        name for one in params for name in one if name.split("__")[-1] == "epsilon"
    }
    if len(names) != 1:
        raise ValueError(
            "search must have one epsilon in its param_grid, got "
            f"{sorted({name for one in params for name in one})}."
        )
    (name,) = names
    return np.array([one.get(name, np.nan) for one in params], dtype=np.float64)
