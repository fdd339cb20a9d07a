"""What a budget lets an attacker do."""

from __future__ import annotations

import math
from typing import Self

import numpy as np

from skdpgmm.displays._figure import new_axes, report_of
from skdpgmm.privacy import attack_power, epsilon_from_mu

_KINDS = ("attacker", "epsilon")
_N_POINTS = 201


class PrivacyCurveDisplay:
    """What an attacker can find, or epsilon as a function of delta.

    Parameters
    ----------
    x : ndarray of shape (n_points,)
        False alarms in (0, 1), or deltas.
    y : ndarray of shape (n_points,)
        The largest share of those in the data whom an attacker finds, or epsilons.
    mu : float
        Gaussian differential privacy; infinite where nobody is protected.
    kind : {"attacker", "epsilon"}, default="attacker"
        Which of the two it is.
    not_private : str, default=None
        Why nobody is protected, for the legend; None where the guarantee holds.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The curve.
    ax_ : matplotlib Axes
        Axes of the figure.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    skdpgmm.privacy.attack_power : The curve of an attacker.
    skdpgmm.privacy.epsilon_from_mu : The other one.

    Notes
    -----
    Privacy: mu is a parameter, and the curves follow from it, rounded up. They are
    exact for Gaussian noise [1]_: some attacker attains the first.

    References
    ----------
    .. [1] J. Dong, A. Roth, W. J. Su, "Gaussian Differential Privacy", Journal of the
       Royal Statistical Society B 84(1), 2022.

    Examples
    --------
    >>> from skdpgmm.displays import PrivacyCurveDisplay
    >>> display = PrivacyCurveDisplay.from_mu(0.5, kind="epsilon")
    >>> bool(display.y[0] > display.y[-1])
    True
    """

    def __init__(self, *, x, y, mu, kind="attacker", not_private=None) -> None:
        self.x = x
        self.y = y
        self.mu = mu
        self.kind = kind
        self.not_private = not_private

    @classmethod
    def from_estimator(
        cls, estimator, *, kind="attacker", ax=None, name=None, **kwargs
    ) -> Self:
        """Draw the curve of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted private estimator.
        kind : {"attacker", "epsilon"}, default="attacker"
            What to draw.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        name : str, default=None
            For the legend; None is mu.
        **kwargs : dict
            Of ``Axes.plot``.

        Returns
        -------
        display : PrivacyCurveDisplay
            What was drawn.
        """
        return cls.from_report(report_of(estimator), kind=kind).plot(
            ax, name=name, **kwargs
        )

    @classmethod
    def from_report(cls, report, *, kind="attacker") -> Self:
        """Make the display of a report or a plan; `plot` draws it.

        Parameters
        ----------
        report : PrivacyReport or PrivacyPlan
            Of a fit, or of one to come.
        kind : {"attacker", "epsilon"}, default="attacker"
            What to draw.

        Returns
        -------
        display : PrivacyCurveDisplay
            Not drawn yet.

        Raises
        ------
        ValueError
            When nobody is protected, and an epsilon is asked for.
        """
        report = report_of(report)
        # Whoever finds the seed knows all, whatever mu was.
        mu = math.inf if report.not_private else report.mu
        display = cls.from_mu(mu, kind=kind)
        display.not_private = report.not_private
        return display

    @classmethod
    def from_mu(cls, mu, *, kind="attacker") -> Self:
        """Make the display of a mu; `plot` draws it.

        Parameters
        ----------
        mu : float
            Gaussian differential privacy, in [1e-100, inf], or 0.
        kind : {"attacker", "epsilon"}, default="attacker"
            What to draw. Epsilon is that of deltas from 1e-12 to 0.1.

        Returns
        -------
        display : PrivacyCurveDisplay
            Not drawn yet.

        Raises
        ------
        ValueError
            When `mu` or `kind` is not legal, or no epsilon is finite.
        """
        if kind not in _KINDS:
            raise ValueError(f"kind must be one of {_KINDS}, got {kind!r}.")
        if kind == "attacker":
            x = np.linspace(0.0, 1.0, _N_POINTS + 2)[1:-1]
            y = np.array([attack_power(mu, alarms) for alarms in x])
            return cls(x=x, y=y, mu=mu, kind=kind)
        if math.isinf(mu):
            raise ValueError(
                "kind must be 'attacker' where nobody is protected, as no epsilon is "
                "finite, got 'epsilon'."
            )
        x = np.logspace(-12, -1, _N_POINTS)
        y = np.array([epsilon_from_mu(mu, delta) for delta in x])
        return cls(x=x, y=y, mu=mu, kind=kind)

    def plot(self, ax=None, *, name=None, **kwargs) -> Self:
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        name : str, default=None
            For the legend; None is mu.
        **kwargs : dict
            Of ``Axes.plot``.

        Returns
        -------
        display : PrivacyCurveDisplay
            The display itself.
        """
        ax = new_axes(self, ax, figsize=(5.0, 4.4))
        label = f"mu = {self.mu:.3g}" if name is None else name
        if self.not_private:
            label = "NOT PRIVATE" if name is None else f"{name}: NOT PRIVATE"
        (self.line_,) = ax.plot(self.x, self.y, **{"label": label, **kwargs})
        if self.kind == "attacker":
            self._label_attacker(ax)
        else:
            ax.set(xscale="log", xlabel="delta", ylabel="epsilon")
        ax.legend(loc="lower right" if self.kind == "attacker" else "upper right")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _label_attacker(self, ax):
        # Several curves may share the axes, and one guess.
        if "guessing" not in ax.get_legend_handles_labels()[1]:
            ax.plot([0, 1], [0, 1], ":", color="0.5", label="guessing", zorder=0)
        ax.set(
            xlim=(0, 1),
            ylim=(0, 1.02),
            xlabel="share of others named (false alarms)",
            ylabel="share of those in the data found, at most",
        )
