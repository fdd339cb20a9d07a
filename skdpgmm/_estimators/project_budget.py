"""The budget of a project: what all fits to the same people may cost together."""

from __future__ import annotations

import math
import os
from dataclasses import asdict
from numbers import Integral
from os import PathLike

from skdpgmm._estimators.debits import Ask, Charge, Debits, Declared
from skdpgmm._estimators.privacy_ids import describe_unit
from skdpgmm.privacy.accounting import compose_mu, mu_from_epsilon
from skdpgmm.privacy.composition import ComposedReport, epsilon_left, total_mu


def charged(budget, ask: Ask):
    """Return a context in which a fit is charged; None is no budget.

    What the context gives is to be told the ledger of the fit before its first release.
    """
    if budget is None:
        return Charge()
    if not isinstance(budget, PrivacyBudget):
        raise TypeError(
            "budget must be an instance of PrivacyBudget or None, got "
            f"{type(budget).__name__}."
        )
    return budget._charge(ask)


class PrivacyBudget:
    """What all fits to the same people may cost together.

    Give it to each of them, as in ``estimator.fit(X, budget=budget)``. A fit that
    would overspend it is refused before a record is read.

    Parameters
    ----------
    epsilon : float
        Privacy loss of all fits together, in [1e-6, inf]. ``inf`` keeps account of
        fits, and protects nobody.
    delta : float
        Additive slack of that guarantee, in [1e-18, 1). A fit may have another delta.
    adjacency : {"add-remove", "replace-one"}, default="add-remove"
        What neighbouring data sets differ in; that of all fits.
    max_contributions : int, default=None
        None is a budget of single records. A number, at least 1, is one of persons,
        and that of all fits; a fit with `privacy_ids` and no number has 1.
    path : str or path-like, default=None
        File of the account, on a local disk. It is made where there is none, readable
        by its owner only, and gone on from where there is one, by any number of threads
        and processes. None keeps the account in the memory of this process.

    Raises
    ------
    TypeError
        When `path` is no path.
    ValueError
        When a parameter is not legal, or the file at `path` is of another budget, of
        another version of the format, damaged, or no such file.
    OSError
        When the file cannot be read or written.

    See Also
    --------
    skdpgmm.privacy.compose : What fits without a budget amount to.

    Notes
    -----
    Privacy: the models of all fits that were given one budget are (epsilon, delta)-
    differentially private together, also where results of a fit decided what a later
    one asks for: it is a privacy filter [1]_. A fit of ``epsilon`` and ``delta`` is
    debited with the mu that it asks for, in full and before it looks at a record, and
    the sum of mu**2 never exceeds that of the budget. A fit that fails is credited with
    what it did not release; one whose process dies is not. That the people are the
    same is for the caller to know, and fits without the budget are not in it. A fit
    with an int as `random_state` is not private, and refused unless the budget is
    infinite.

    Copies of a budget are the same budget. One in memory cannot be pickled, and so not
    be given to other processes; a pickle of one in a file has the path.

    References
    ----------
    .. [1] R. Rogers, A. Roth, J. Ullman, S. Vadhan, "Privacy Odometers and Filters:
       Pay-as-you-Go Composition", NeurIPS 2016.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdpgmm import DPKMeans, DPLogisticRegression, PrivacyBudget
    >>> X, y = load_digits(return_X_y=True)
    >>> budget = PrivacyBudget(epsilon=3.0, delta=1e-5)
    >>> clusters = DPKMeans(10, epsilon=1.0).fit(X, budget=budget)
    >>> classifier = DPLogisticRegression(epsilon=2.0).fit(X, y, budget=budget)
    >>> round(budget.spent_epsilon, 3), round(budget.remaining_epsilon, 3)
    (2.302, 1.729)
    >>> DPKMeans(10, epsilon=2.0).fit(X, budget=budget)
    Traceback (most recent call last):
    ...
    skdpgmm.privacy.accounting.BudgetExceededError: DPKMeans asks for epsilon=2.0 ...
    """

    def __init__(
        self,
        epsilon: float,
        delta: float,
        *,
        adjacency: str = "add-remove",
        max_contributions: int | None = None,
        path: str | PathLike | None = None,
    ) -> None:
        if path is not None:
            if not isinstance(path, str | os.PathLike):
                raise TypeError(
                    f"path must be a path or None, got {type(path).__name__}."
                )
            path = os.path.abspath(os.fsdecode(path))
        declared = Declared.checked(epsilon, delta, adjacency, max_contributions)
        self._debits = Debits(declared, path)
        self._part: str | None = None

    @classmethod
    def open(cls, path) -> PrivacyBudget:
        """Return the budget of a file that is there, whatever it is one of.

        Parameters
        ----------
        path : str or path-like
            Of its file.

        Returns
        -------
        budget : PrivacyBudget
            With the epsilon, delta, adjacency and unit that it was made with.

        Raises
        ------
        OSError
            When there is no file, or it cannot be read.
        ValueError
            When it is damaged, or no file of a budget.
        """
        path = os.path.abspath(os.fsdecode(path))
        return cls(**asdict(Debits.declared_in(path)), path=path)

    @property
    def epsilon(self) -> float:
        """Privacy loss of all fits together; public."""
        return self._debits.declared.epsilon

    @property
    def delta(self) -> float:
        """Additive slack of the guarantee; public."""
        return self._debits.declared.delta

    @property
    def adjacency(self) -> str:
        """What neighbouring data sets differ in; public."""
        return self._debits.declared.adjacency

    @property
    def max_contributions(self) -> int | None:
        """Records of a person in a fit, or None for single records; public."""
        return self._debits.declared.max_contributions

    @property
    def path(self) -> str | None:
        """Absolute path of the file of the account, or None; public."""
        return self._debits.path

    @property
    def spent_epsilon(self) -> float:
        """Epsilon, at `delta`, of all that was charged.

        For a part of the people, that of the fits that they are in. It is an account;
        the guarantee is that of the budget.
        """
        return self.report().spent_epsilon

    @property
    def remaining_epsilon(self) -> float:
        """Largest epsilon, at `delta`, that a fit may still ask for; 0 for none."""
        return self.largest_epsilon()

    def largest_epsilon(self, n_fits=1, delta=None) -> float:
        """Return the largest epsilon that each of some more fits may ask for.

        Parameters
        ----------
        n_fits : int, default=1
            Number of fits, at least 1: a search of c candidates on f folds makes
            c * f + 1.
        delta : float, default=None
            That of the fits, in [1e-18, 1). None is that of the budget.

        Returns
        -------
        epsilon : float
            0 where there is none.
        """
        delta = self.delta if delta is None else delta
        mu_from_epsilon(self.epsilon, delta)  # refuses what is illegal
        n = _checked_number(n_fits)
        return epsilon_left(self._debits.mu, self._spent_mu(), delta, n)

    def affords(self, epsilon, delta=None, n_fits=1) -> bool:
        """Return whether fits that ask for this would be let through now.

        Parameters
        ----------
        epsilon : float
            What each asks for, in [1e-6, inf].
        delta : float, default=None
            The same, in [1e-18, 1). None is that of the budget.
        n_fits : int, default=1
            Number of fits, at least 1.

        Returns
        -------
        enough : bool
            False where other fits have spent it meanwhile.
        """
        mu = mu_from_epsilon(epsilon, self.delta if delta is None else delta)
        more = [mu] * _checked_number(n_fits)
        return compose_mu([self._spent_mu(), *more]) <= self._debits.mu

    def part(self, name) -> PrivacyBudget:
        """Return the same budget, for fits to a part of the people.

        Parts that have nobody in common cost as much as the one that costs most. That
        they have nobody in common is for the caller to know, and the report says so.

        Parameters
        ----------
        name : str
            Name of the part, such as that of a hospital; public.

        Returns
        -------
        part : PrivacyBudget
            Fits to all people, and to this part, are charged to it.
        """
        if not isinstance(name, str) or not name:
            raise TypeError(f"name must be a string that is not empty, got {name!r}.")
        if self._part is not None:
            raise ValueError(
                f"a part has no parts: {self._part!r} is one, got name={name!r}. Parts "
                "of the whole that have nobody in common may have any names."
            )
        new = object.__new__(type(self))
        new.__dict__ = {**vars(self), "_part": name}
        return new

    def report(self) -> ComposedReport:
        """Return the guarantee, and what each fit was charged.

        Returns
        -------
        report : ComposedReport
            Of a part: of the fits to it, and to all people.
        """
        fits = [
            fit
            for fit in self._debits.fits()
            if self._part is None or fit.cost.part in (None, self._part)
        ]
        parts = dict.fromkeys(repr(fit.cost.part) for fit in fits if fit.cost.part)
        declared = [("same people", "in all fits, as the caller says")]
        if parts:
            declared.append(
                ("parts", f"{', '.join(parts)}, which share nobody, as the caller says")
            )
        bound, mu = self.max_contributions, self._debits.mu
        held = [fit.enforced for fit in fits if fit.cost.mu > 0.0]
        why = "NOT PRIVATE: epsilon is infinite, and fits may add no noise"
        return ComposedReport(
            epsilon=self.epsilon,
            delta=self.delta,
            mu=mu,
            adjacency=self.adjacency,
            unit=describe_unit(bound, bound is not None and held and all(held)),
            costs=tuple(fit.cost for fit in fits),
            not_private=why if math.isinf(mu) else None,
            declared_public=tuple(declared),
        )

    def __repr__(self):
        declared = asdict(self._debits.declared)
        given = ", ".join(f"{name}={value!r}" for name, value in declared.items())
        warning = "NOT PRIVATE; " if math.isinf(self.epsilon) else ""
        part = "" if self._part is None else f".part({self._part!r})"
        return f"{warning}PrivacyBudget({given}, path={self.path!r}){part}"

    def __str__(self):
        return str(self.report())

    def _repr_html_(self):
        return self.report()._repr_html_()

    # Copies are the same budget: another would spend it a second time.

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def __reduce__(self):
        if self.path is None:
            raise TypeError(
                "a budget that is kept in memory cannot be pickled, as both would "
                "spend it: give path= where fits run in other processes."
            )
        found = self._debits
        return _opened_again, (
            type(self),
            found.declared,
            found.path,
            found.id,
            self._part,
        )

    def _spent_mu(self):
        costs = [fit.cost for fit in self._debits.fits()]
        return total_mu(costs, self._part)

    def _charge(self, ask: Ask):
        return self._debits.charge(ask, self._part)


def _opened_again(cls, declared, path, number, part):
    """Return the budget of a pickle, whose file must be there."""
    budget = object.__new__(cls)
    vars(budget).update(_debits=Debits(declared, path, number), _part=part)
    return budget


def _checked_number(n_fits) -> int:
    bad = isinstance(n_fits, bool) or not isinstance(n_fits, Integral)
    if bad or n_fits < 1:
        raise ValueError(f"n_fits must be an integer of at least 1, got {n_fits!r}.")
    return int(n_fits)
