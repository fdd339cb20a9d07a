"""A report is written as its suffix says, for every estimator alike."""

import json

import numpy as np
import pytest
from private_fits import fit, make_data, release_cases

from skdpgmm import report

CASES = release_cases(3)
# Each estimator and wrapper, and each kind of pipeline and search.
NAMES = (
    *("kmeans", "mixture-tied", "synthesizer-1", "synthesizer-2", "logistic", "pca"),
    *(
        "classifier",
        "resampler",
        "pipeline",
        "search",
        "search-classifiers",
        "accuracy",
    ),
)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", NAMES)
def test_every_estimator_has_a_report(name, tmp_path, seen):
    make, labelled = CASES[name]
    fitted = fit(make(epsilon=5.0), *make_data(400, 3), labelled)
    made = report(fitted)
    page = seen(made.to_html())
    assert "(5, 1e-05)-differentially private" in page.texts
    told = made.to_dict()
    assert len(told["ledger"]) == len(fitted.privacy_.ledger)
    assert type(fitted).__name__ in made.title
    assert told["released"]


def test_the_suffix_says_what_is_written(fitted, tmp_path):
    made = report(fitted)
    made.save(tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text() == made.to_html()
    made.save(str(tmp_path / "a.MD"))
    assert (tmp_path / "a.MD").read_text() == made.to_markdown()
    made.save(tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text()) == made.to_dict()
    with pytest.raises(ValueError, match=r"one of .* got 'a\.pdf'"):
        made.save(tmp_path / "a.pdf")


def test_it_is_the_same_each_time_and_nobody_can_change_it(fitted):
    made = report(fitted)
    made.to_dict()["ledger"].clear()
    again = report(fitted)
    assert again.to_html() == made.to_html()
    assert again.to_dict() == made.to_dict() and made.to_dict()["ledger"]


def test_a_notebook_shows_it_in_a_frame(fitted, seen):
    shown = report(fitted)._repr_html_()
    found = seen(shown)
    assert found.elements == ["iframe"]
    inside = dict(found.attributes)["srcdoc"]
    assert inside == report(fitted).to_html()
    assert not np.any([name == "src" for name, _ in found.attributes])
