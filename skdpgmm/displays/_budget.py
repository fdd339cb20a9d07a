"""Where a budget has gone."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np

from skdpgmm.displays._figure import new_axes, report_of
from skdpgmm.privacy.tables import repeated

# Where a fit has more, those of one step, candidate or fit become one.
_MAX_BARS = 30


class BudgetDisplay:
    """Which release has taken which share of a budget.

    Parameters
    ----------
    names : list of str
        Releases, in order; those that repeat are one, and where there are many, those
        of a step of a pipeline or of a candidate of a search.
    shares : ndarray of shape (n_releases,)
        Share of each in the squared mu that was asked for, in [0, 1].
    not_private : str, default=None
        Why nobody is protected, for the title; None where the guarantee holds.

    Attributes
    ----------
    bars_ : BarContainer
        The bars.
    ax_ : matplotlib Axes
        Axes of the figure.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    PrivacyCurveDisplay : What the whole budget means.

    Notes
    -----
    Privacy: a ledger is made of parameters and releases, so that the figure costs
    nothing. Costs of Gaussian mechanisms add as squares of mu, which is why shares are
    of the square. Where releases are about disjoint parts of the records, as in
    `PrivateSearchCV`, the costliest part counts, and bars may add up to more than 1.

    Examples
    --------
    >>> from skdpgmm import DPKMeans
    >>> from skdpgmm.displays import BudgetDisplay
    >>> plan = DPKMeans(8).plan(n_samples=10_000, n_features=16)
    >>> display = BudgetDisplay.from_report(plan)
    >>> display.names[0], round(float(display.shares[0]), 4)
    ('norms: counts', 0.0125)
    """

    def __init__(self, *, names, shares, not_private=None) -> None:
        self.names = names
        self.shares = shares
        self.not_private = not_private

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs) -> Self:
        """Draw the budget of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted private estimator.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Of ``Axes.barh``.

        Returns
        -------
        display : BudgetDisplay
            What was drawn.
        """
        return cls.from_report(report_of(estimator)).plot(ax, **kwargs)

    @classmethod
    def from_report(cls, report) -> Self:
        """Make the display of a report or a plan; `plot` draws it.

        Parameters
        ----------
        report : PrivacyReport or PrivacyPlan
            With its ledger.

        Returns
        -------
        display : BudgetDisplay
            Not drawn yet.

        Raises
        ------
        ValueError
            When no noise was added, so that there is no budget.
        """
        report = report_of(report)
        if math.isinf(report.mu):
            raise ValueError(
                "report must be of a fit with a finite epsilon, got epsilon=inf: "
                "nothing was spent, as nothing is protected."
            )
        shares: dict[str, float] = {}
        lines = repeated(report.ledger)
        for line in lines:
            name = line.name if line.times == 1 else f"{line.name}, x {line.times}"
            if len(lines) > _MAX_BARS:
                name = line.name.partition(", ")[0]
            share = line.times * (line.entry.mu / report.mu) ** 2
            shares[name] = shares.get(name, 0.0) + share
        names, parts = list(shares), np.array(list(shares.values()))
        return cls(names=names, shares=parts, not_private=report.not_private)

    def plot(self, ax=None, **kwargs) -> Self:
        """Draw a bar for each release.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Of ``Axes.barh``.

        Returns
        -------
        display : BudgetDisplay
            The display itself.
        """
        height = 1.2 + 0.28 * len(self.names)
        ax = new_axes(self, ax, figsize=(7.0, height))
        places: Any = np.arange(len(self.names))
        self.bars_ = ax.barh(places, 100.0 * self.shares, **kwargs)
        labels = [f"{100.0 * share:.3g} %" for share in self.shares]
        ax.bar_label(self.bars_, labels, padding=3, fontsize="small")
        ax.set_yticks(places, self.names)
        ax.invert_yaxis()
        ax.margins(x=0.15, y=0.01)
        ax.set_xlabel("share of the budget, in % of squared mu")
        if self.not_private:
            ax.set_title(self.not_private, fontsize="medium")
        self.ax_, self.figure_ = ax, ax.figure
        return self
