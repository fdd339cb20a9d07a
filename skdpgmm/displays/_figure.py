"""What all displays share: axes to draw in, and the report of what they are given."""

from __future__ import annotations

from typing import Any

from sklearn.utils.validation import check_is_fitted


def new_axes(display: Any, ax: Any, n_panels: int = 1, **figure: Any) -> Any:
    """Return the axes that a display draws in: those given, or those of a new figure.

    Parameters
    ----------
    display : object
        For the error without matplotlib.
    ax : Axes, array of Axes or None
        What the caller gives.
    n_panels : int
        Number of axes side by side.
    **figure : dict
        Of a new figure.

    Returns
    -------
    ax : Axes, or ndarray of shape (n_panels,) where there are several
    """
    require_matplotlib(display)
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    kind = {"layout": "constrained", **figure}
    _, ax = plt.subplots(1, n_panels, sharex=True, sharey=True, **kind)
    return ax


def require_matplotlib(display: Any) -> None:
    """Say what to install where matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{type(display).__name__}.plot needs matplotlib: "
            "pip install 'skdpgmm[plots]'"
        ) from error


def report_of(given: Any) -> Any:
    """Return the report of a fitted estimator, or the report or plan that is given."""
    if hasattr(given, "ledger") and hasattr(given, "mu"):
        return given
    if not hasattr(given, "get_params"):
        raise TypeError(
            "it must be a fitted private estimator, its privacy_ or a plan, got "
            f"{type(given).__name__}."
        )
    check_is_fitted(given, "privacy_")
    return given.privacy_
