"""Figures of what a fit has released, in the style of scikit-learn's displays.

They need matplotlib, and draw releases and public numbers only. The one exception says
so: `SyntheticRowsDisplay` shows records beside synthetic rows where it is given some.
"""

from skdpgmm.displays._accuracy import AccuracyEpsilonDisplay
from skdpgmm.displays._budget import BudgetDisplay
from skdpgmm.displays._curve import PrivacyCurveDisplay
from skdpgmm.displays._rows import SyntheticRowsDisplay
from skdpgmm.displays._spectrum import SpectrumDisplay

__all__ = [
    "AccuracyEpsilonDisplay",
    "BudgetDisplay",
    "PrivacyCurveDisplay",
    "SpectrumDisplay",
    "SyntheticRowsDisplay",
]
