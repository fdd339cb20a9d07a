"""The privacy core: everything that an auditor has to read.

Read in this order: `accounting` (what is promised and what a release costs), `noise`
(how a sum is released), `grid` (a record becomes a bounded vector of integers),
`bounded_sum` (why one record moves a sum by no more than is stated), `records` (that
nothing else looks at the data, and that a pass sees every record once). `composition`
adds up fits, and `steps` those of a pipeline; `parts` is for searches, whose releases
are about parts of the records; `report`, `quality`, `plan` and `tables` print.
"""

from skdpgmm.privacy.accounting import (
    BudgetExceededError,
    Ledger,
    LedgerEntry,
    attack_power,
    compose_mu,
    epsilon_from_mu,
    mu_from_epsilon,
    split_mu,
    unit_factor,
)
from skdpgmm.privacy.composition import ComposedReport, Cost, compose
from skdpgmm.privacy.plan import PrivacyPlan
from skdpgmm.privacy.quality import Quality, QualityOfSteps
from skdpgmm.privacy.report import Decision, PrivacyReport

__all__ = [
    "BudgetExceededError",
    "ComposedReport",
    "Cost",
    "Decision",
    "Ledger",
    "LedgerEntry",
    "PrivacyPlan",
    "PrivacyReport",
    "Quality",
    "QualityOfSteps",
    "attack_power",
    "compose",
    "compose_mu",
    "epsilon_from_mu",
    "mu_from_epsilon",
    "split_mu",
    "unit_factor",
]
