"""Synthetic rows, and the records that they stand for, in one plane."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils import check_array, check_consistent_length

from skdpgmm.displays._figure import new_axes
from skdpgmm.displays._plane import ellipse_of, main_plane
from skdpgmm.displays._released_mixture import mixture_of, sampler_of

# More have no names in the legend: it would cover the rows.
_MAX_NAMED = 12


class SyntheticRowsDisplay:
    """Synthetic rows, their components, and records beside them, in one plane.

    Parameters
    ----------
    rows : ndarray of shape (n_synthetic, 2)
        Synthetic rows in the plane.
    labels : ndarray of shape (n_synthetic,)
        Class of each, or its component where there are no classes.
    centers : ndarray of shape (n_components, 2)
        Means of the components in the plane.
    covariances : ndarray of shape (n_components, 2, 2)
        Their covariances there.
    component_labels : ndarray of shape (n_components,)
        Class of each component.
    axis_names : tuple of (str, str)
        Of the two axes of the plane.
    records : ndarray of shape (n_records, 2), default=None
        Records in the plane, exactly as they are.
    record_labels : ndarray of shape (n_records,), default=None
        Class of each.

    Attributes
    ----------
    ax_ : matplotlib Axes, or ndarray of shape (2,)
        Axes of the figure: with records, theirs and those of the synthetic rows.
    ellipses_ : list of matplotlib Ellipse
        One for each component, in the last of the axes.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    skdpgmm.metrics : Numbers for what this shows.

    Notes
    -----
    Privacy: the plane is that in which the released means of the components are
    farthest apart, never one that records have chosen; rows are samples; both cost
    nothing. **Records that are given are shown exactly: such a figure is not private
    unless they are public.** Who may not publish them draws the figure without.

    Ellipses are of the mixture: where rows are put on the unit sphere, or labels are
    given by a label model, rows lie a little otherwise.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skdpgmm import DPEmbeddingSynthesizer
    >>> from skdpgmm.displays import SyntheticRowsDisplay
    >>> X, y = load_wine(return_X_y=True)
    >>> scale = [15, 6, 4, 30, 160, 4, 5, 1, 4, 13, 2, 4, 1700]  # public
    >>> synthesizer = DPEmbeddingSynthesizer(epsilon=8, random_state=0)
    >>> synthesizer = synthesizer.fit(X / scale, y)
    >>> display = SyntheticRowsDisplay.from_model(synthesizer, n_samples=300)
    >>> display.rows.shape, display.records is None
    ((300, 2), True)
    """

    def __init__(
        self,
        *,
        rows,
        labels,
        centers,
        covariances,
        component_labels,
        axis_names,
        records=None,
        record_labels=None,
    ) -> None:
        self.rows = rows
        self.labels = labels
        self.centers = centers
        self.covariances = covariances
        self.component_labels = component_labels
        self.axis_names = axis_names
        self.records = records
        self.record_labels = record_labels

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        y=None,
        *,
        n_samples=1000,
        random_state=None,
        ax=None,
        **kwargs,
    ) -> Self:
        """Draw the rows of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted `DPGaussianMixture` or `DPEmbeddingSynthesizer`, or what has one
            as its `synthesizer_`.
        X : array-like of shape (n_records, n_features), default=None
            Records to show beside, exactly as they are: the figure is not private
            unless these are public. None shows none.
        y : array-like of shape (n_records,), default=None
            Their labels.
        n_samples : int, default=1000
            Number of synthetic rows, at least 1.
        random_state : int, RandomState instance or None, default=None
            Randomness of the draw; None takes the estimator's own.
        ax : matplotlib Axes or array of two, default=None
            Where to draw: two with records. None makes a figure.
        **kwargs : dict
            Of ``Axes.scatter``.

        Returns
        -------
        display : SyntheticRowsDisplay
            What was drawn.
        """
        display = cls.from_model(
            estimator, X, y, n_samples=n_samples, random_state=random_state
        )
        return display.plot(ax, **kwargs)

    @classmethod
    def from_model(
        cls, estimator, X=None, y=None, *, n_samples=1000, random_state=None
    ) -> Self:
        """Make the display of a fitted estimator; `plot` draws it.

        Parameters
        ----------
        estimator : estimator
            As in `from_estimator`.
        X : array-like of shape (n_records, n_features), default=None
            Records to show beside, exactly as they are.
        y : array-like of shape (n_records,), default=None
            Their labels.
        n_samples : int, default=1000
            Number of synthetic rows, at least 1.
        random_state : int, RandomState instance or None, default=None
            Randomness of the draw; None takes the estimator's own.

        Returns
        -------
        display : SyntheticRowsDisplay
            Not drawn yet.

        Raises
        ------
        ValueError
            When there are fewer than two features, or `X` does not have those of the
            fit.
        TypeError
            When `estimator` is no mixture.
        """
        sampler = sampler_of(estimator)
        mixture = mixture_of(sampler)
        d = mixture.means.shape[1]
        if d < 2:
            raise ValueError(
                f"estimator must be fitted to at least 2 features, got {d}."
            )
        plane = main_plane(mixture.weights, mixture.means, mixture.each_covariance())
        rows, labels = sampler.sample(n_samples, random_state=random_state)
        records, record_labels = None, None
        if X is not None:
            records, record_labels = _checked_records(X, y, d)
            records = plane.coordinates(records)
        return cls(
            rows=plane.coordinates(np.asarray(rows, dtype=np.float64)),
            labels=np.ravel(labels),
            centers=plane.coordinates(mixture.means),
            covariances=np.array(
                [plane.axes @ one @ plane.axes.T for one in mixture.each_covariance()]
            ),
            component_labels=mixture.labels,
            axis_names=_axis_names(sampler, d),
            records=records,
            record_labels=record_labels,
        )

    def plot(self, ax=None, *, n_std=2.0, **kwargs) -> Self:
        """Draw rows and ellipses.

        Parameters
        ----------
        ax : matplotlib Axes or array of two, default=None
            Where to draw: two with records. None makes a figure.
        n_std : float, default=2.0
            Standard deviations that an ellipse holds, positive; 0 draws none.
        **kwargs : dict
            Of ``Axes.scatter``.

        Returns
        -------
        display : SyntheticRowsDisplay
            The display itself.

        Raises
        ------
        ValueError
            When there are other axes than panels.
        """
        beside = self.records is not None
        width = 10.0 if beside else 5.6
        ax = new_axes(self, ax, 1 + beside, figsize=(width, 4.8))
        panels = np.ravel(np.asarray(ax, dtype=object))
        if len(panels) != 1 + beside:
            raise ValueError(
                f"ax must be {1 + beside} axes: with records, one for these and one "
                f"for synthetic rows, got {len(panels)}."
            )
        color = self._colors()
        if beside:
            known = self.record_labels is not None
            colors = [color[x] for x in self.record_labels.tolist()] if known else "0.5"
            _scatter(panels[0], self.records, colors, kwargs)
            panels[0].set_title("records, exactly as they are")
        _scatter(
            panels[-1], self.rows, [color[x] for x in self.labels.tolist()], kwargs
        )
        panels[-1].set_title("synthetic rows, and the mixture")
        self.ellipses_ = self._ellipses(panels[-1], color, n_std) if n_std else []
        for one in panels:
            one.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
            one.label_outer()
        self._legend(panels[-1], color)
        self.ax_ = ax
        self.figure_ = panels[-1].figure
        return self

    def _colors(self):
        """Return a colour for each label: those of records are among them."""
        from matplotlib import colormaps

        found = [*self.component_labels.tolist(), *self.labels.tolist()]
        if self.record_labels is not None:
            found += self.record_labels.tolist()
        labels = sorted(set(found), key=lambda label: (str(type(label)), label))
        names = "tab10" if len(labels) <= 10 else "turbo"
        colors = colormaps[names].resampled(max(len(labels), 10))
        return {label: colors(i) for i, label in enumerate(labels)}

    def _ellipses(self, ax, color, n_std):
        from matplotlib.patches import Ellipse

        found = []
        for center, covariance, label in zip(
            self.centers, self.covariances, self.component_labels.tolist(), strict=True
        ):
            width, height, angle = ellipse_of(covariance, n_std)
            ellipse = Ellipse(
                center, width, height, angle=angle, fill=False, ec=color[label], lw=2
            )
            found.append(ax.add_patch(ellipse))
        return found

    def _legend(self, ax, color):
        if not 1 < len(color) <= _MAX_NAMED:
            return
        handles = [
            ax.plot([], [], "o", color=shade, label=str(label))[0]
            for label, shade in color.items()
        ]
        ax.legend(
            handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False
        )


def _checked_records(X, y, d):
    X = check_array(X, dtype=np.float64, input_name="X")
    if X.shape[1] != d:
        raise ValueError(f"X must have {d} features, as in fit, got {X.shape[1]}.")
    if y is None:
        return X, None
    check_consistent_length(X, y)
    return X, np.ravel(y)


def _axis_names(sampler: Any, d: int) -> tuple[str, str]:
    if d > 2:
        return "first axis of the means", "second axis of the means"
    first, second = getattr(sampler, "feature_names_in_", ("feature 0", "feature 1"))
    return str(first), str(second)


def _scatter(ax, rows, colors, kwargs):
    style = {"s": 8, "alpha": 0.6, "linewidths": 0, **kwargs}
    ax.scatter(*rows.T, c=colors, **style)
