"""Variances that were released, and the noise that they stand out of."""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skdpgmm.displays._figure import new_axes
from skdpgmm.displays._released_mixture import mixture_of, sampler_of

# Lines beyond would be one blot.
_MAX_LINES = 100


class SpectrumDisplay:
    """The released spectrum of a model, largest variance first.

    Parameters
    ----------
    variances : ndarray of shape (n_lines, n_directions)
        Variances, descending; a line for each covariance.
    clear : ndarray of shape (n_directions,), default=None
        Whether each direction stands out of the noise, where there is one line.
    noise_edge : float, default=None
        Largest variance that noise shows by itself; None where it is not known.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The spectra.
    edge_ : matplotlib Line2D or None
        The edge of the noise.
    ax_ : matplotlib Axes
        Axes of the figure.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    skdpgmm.DPPCA : Finds components, and says which of them are clear.

    Notes
    -----
    Privacy: variances were released, and the edge follows from the known scale of the
    noise and a released count.

    Released variances have been shrunk by the noise already: one that stands clear of
    the edge before that may lie below it after. `clear` is what was decided, before.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdpgmm import DPPCA
    >>> from skdpgmm.displays import SpectrumDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> pca = DPPCA(20, epsilon=8.0, random_state=0).fit(X)
    >>> display = SpectrumDisplay.from_model(pca)
    >>> display.variances.shape, bool(display.noise_edge > 0)
    ((1, 20), True)
    """

    def __init__(self, *, variances, clear=None, noise_edge=None) -> None:
        self.variances = variances
        self.clear = clear
        self.noise_edge = noise_edge

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs) -> Self:
        """Draw the spectrum of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted `DPPCA`, or a mixture, or what has one as its `synthesizer_`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Of ``Axes.plot``.

        Returns
        -------
        display : SpectrumDisplay
            What was drawn.
        """
        return cls.from_model(estimator).plot(ax, **kwargs)

    @classmethod
    def from_model(cls, estimator) -> Self:
        """Make the display of a fitted estimator; `plot` draws it.

        Parameters
        ----------
        estimator : estimator
            As in `from_estimator`.

        Returns
        -------
        display : SpectrumDisplay
            Not drawn yet.

        Raises
        ------
        TypeError
            When `estimator` has neither components nor covariances.
        """
        check_is_fitted(estimator)
        if hasattr(estimator, "noise_edge_"):
            words = estimator.privacy_.quality.words["direction"]
            return cls(
                variances=estimator.explained_variance_[None],
                clear=np.array([word == "clear" for word in words]),
                noise_edge=estimator.noise_edge_,
            )
        mixture = mixture_of(sampler_of(estimator))
        spectra = []
        for covariance in mixture.each_covariance():
            spectra.append(np.linalg.eigvalsh(covariance)[::-1])
            if mixture.has_one_covariance or len(spectra) == _MAX_LINES:
                break
        return cls(variances=np.array(spectra))

    def plot(self, ax=None, **kwargs) -> Self:
        """Draw the spectrum.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a figure.
        **kwargs : dict
            Of ``Axes.plot``.

        Returns
        -------
        display : SpectrumDisplay
            The display itself.
        """
        ax = new_axes(self, ax, figsize=(5.6, 4.0))
        places = np.arange(1, self.variances.shape[1] + 1)
        marker = "o" if len(places) <= 64 else None
        self.lines_ = []
        for variances in self.variances:
            style = {"marker": marker, "markersize": 4, **kwargs}
            self.lines_ += ax.plot(places, variances, **style)
        if self.clear is not None and not self.clear.all():
            hidden = ~self.clear
            ax.plot(
                places[hidden],
                self.variances[0, hidden],
                "o",
                color="white",
                markeredgecolor=self.lines_[0].get_color(),
                markersize=6,
                label="not clear of the noise",
            )
        self.edge_ = None
        if self.noise_edge:
            label = "spectral edge of the noise"
            self.edge_ = ax.axhline(self.noise_edge, ls="--", color="0.4", label=label)
        ax.set(xlabel="direction", ylabel="variance")
        if np.all(self.variances > 0.0):
            ax.set_yscale("log")
        if ax.get_legend_handles_labels()[0]:
            ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
