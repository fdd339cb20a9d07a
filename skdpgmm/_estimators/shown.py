"""What notebooks show of an estimator: its guarantee, or that it protects nobody."""

from __future__ import annotations

import html
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from numbers import Real
from typing import Any

from skdpgmm._estimators.randomness import is_seed
from skdpgmm.privacy.report import not_private


class _Headed:
    """Parameters of an estimator as HTML, below what has to be known first."""

    def __init__(self, params, lines):
        self._params, self._lines = params, lines

    def _repr_html_inner(self):
        heading = "".join(f"<p>{line}</p>" for line in self._lines)
        return heading + self._params._repr_html_inner()


class GuaranteeHTML:
    """An estimator whose HTML says what is promised, or NOT PRIVATE beside no promise.

    scikit-learn asks for the parameters of each estimator that it shows, also of those
    in a pipeline.
    """

    _doc_link_module = "skdpgmm"

    @property
    def _doc_link_template(self):
        root = documentation()
        return (
            root
            and f"{root}/api/generated/{{estimator_module}}.{{estimator_name}}.html"
        )

    def _get_params_html(self: Any, *args, **kwargs):
        parent: Any = super()
        shown = parent._get_params_html(*args, **kwargs)
        lines = _lines(self)
        return _Headed(shown, lines) if lines else shown


@cache
def documentation() -> str:
    """Return where the documentation is, as the package says; "" where it does not."""
    try:
        urls = metadata("skdpgmm").get_all("Project-URL") or []
    except PackageNotFoundError:  # run from a checkout
        urls = []
    for entry in urls:
        label, _, url = entry.partition(", ")
        if label.lower() == "documentation":
            return url.rstrip("/")
    return ""


def _lines(estimator):
    """Return what is to be said first, as HTML: of the parameters, and of the fit."""
    # What wraps an estimator, and has no epsilon, leaves it to that to warn.
    warning = None
    if hasattr(estimator, "epsilon"):
        # Parameters are not validated before a fit.
        number = estimator.epsilon if isinstance(estimator.epsilon, Real) else 0.0
        warning = not_private(number, is_seed(getattr(estimator, "random_state", None)))
    report = getattr(estimator, "privacy_", None)
    lines = []
    if warning is not None:
        lines.append(f"<strong>{html.escape(warning)}</strong>")
    if report is not None:
        lines.append(_told(report, said=warning))
    return [line for line in lines if line]


def _told(report, said):
    """Return the guarantee of a fit in a line; parameters may have changed since."""
    if report.not_private is not None:
        text = f"The fit: {html.escape(report.not_private)}"
        return "" if report.not_private == said else f"<strong>{text}</strong>"
    guarantee = f"({report.epsilon:g}, {report.delta:g})-DP"
    text = f"{report.adjacency}, unit: {report.unit}: {report.meaning}"
    return f"The fit is <strong>{guarantee}</strong>, {html.escape(text)}."
