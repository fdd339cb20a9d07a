"""Faults of what stands around releases: persons, fits, budgets, plans."""

from benchmarks.faults.patches import Fault

BASE = "_estimators/base.py"

FAULTS = (
    Fault(
        "a person has one record more than is allowed",
        "_rows/persons.py",
        "< bound_of(max_contributions)",
        "<= bound_of(max_contributions)",
        ("rows/test_persons.py::test_the_first_records_of_each_person_are_kept",),
        ("pca-persons",),
    ),
    Fault(
        "ids are merged by a cast",
        "_rows/persons.py",
        "return np.unique(ids, return_inverse=True)[1]",
        "return np.unique(ids.astype(np.float64), return_inverse=True)[1]",
        ("rows/test_persons.py::test_ids_tell_persons_apart",),
        (),
    ),
    Fault(
        "the centre is that of the records",
        BASE,
        "        given = given._replace(in_frame=opened.frame is not None)\n",
        "        given = given._replace(center=np.mean(np.asarray(X), axis=0))\n",
        (
            "contracts/test_privacy_replay.py::test_fit_is_a_function_of_its_releases[pca-small]",
        ),
        (
            "pca",
            "pca-attributes",
        ),
    ),
    Fault(
        "the exact number of records is an attribute",
        BASE,
        "        self.n_features_in_ = opened.shape[1]\n",
        "        self.n_features_in_ = opened.shape[1]\n"
        "        self.n_samples_ = opened.shape[0]\n",
        (
            "contracts/test_privacy_replay.py::test_fit_is_a_function_of_its_releases[pca-small]",
        ),
        ("pca-attributes",),
    ),
    Fault(
        "labels of the records are an attribute",
        BASE,
        "        self._fit(session, given)\n        report = account.report()\n",
        "        self._fit(session, given)\n"
        "        self.labels_ = None if y is None else np.array(y)\n"
        "        report = account.report()\n",
        (
            "contracts/test_privacy_replay.py::test_fit_is_a_function_of_its_releases[logistic-small]",
        ),
        ("logistic-attributes",),
    ),
    Fault(
        "a pass has the budget of all",
        "_algorithms/budget.py",
        'return self.split({"each": 1.0 / n})["each"]',
        "return Budget(self.mu)",
        (
            "algorithms/test_budget.py::test_parts_never_compose_to_more",
            "algorithms/test_kmeans.py",
        ),
        ("kmeans",),
    ),
    Fault(
        "a plan leaves out what comes last",
        "_estimators/plan.py",
        "            ledger=report.ledger,\n",
        "            ledger=report.ledger[:-1],\n",
        ("contracts/test_plan.py::test_a_plan_is_what_the_fit_releases",),
        (),
    ),
    Fault(
        "a budget of a project lets one fit more through",
        "_estimators/debits.py",
        "if not total_mu([*costs, _debited(debit).cost]) <= self.mu:",
        "if not total_mu(costs) <= self.mu:",
        ("estimators/test_debits.py",),
        (),
    ),
)
