"""What notebooks show of an estimator: that it protects nobody, where this is so."""

from __future__ import annotations

import html
from numbers import Real
from typing import Any

from skdpgmm._estimators.randomness import is_seed
from skdpgmm.privacy.report import not_private


class _Warned:
    """Parameters of an estimator as HTML, below a warning."""

    def __init__(self, params, warning):
        self._params, self._warning = params, warning

    def _repr_html_inner(self):
        shown = self._params._repr_html_inner()
        return f"<p><strong>{html.escape(self._warning)}</strong></p>{shown}"


class WarnedHTML:
    """An estimator whose HTML says NOT PRIVATE beside an epsilon that is none.

    scikit-learn asks for the parameters of each estimator that it shows, also of those
    in a pipeline.
    """

    def _get_params_html(self: Any, *args, **kwargs):
        parent: Any = super()
        shown = parent._get_params_html(*args, **kwargs)
        # Parameters are not validated before a fit.
        epsilon = self.epsilon if isinstance(self.epsilon, Real) else 0.0
        warning = not_private(epsilon, is_seed(getattr(self, "random_state", None)))
        return shown if warning is None else _Warned(shown, warning)
