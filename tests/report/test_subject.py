"""A report is about what has a ledger, and tells attributes as their docstrings do."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from private_fits import ESTIMATORS, REGISTRY, fit, fit_cases, make_data
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError

import skdpgmm
from skdpgmm import DPKMeans, PrivacyBudget, report
from skdpgmm._report.subject import (
    DRAWN,
    OF_ROWS,
    PUBLIC,
    methods,
    released,
    subject_of,
)
from skdpgmm.metrics import private_accuracy


def test_an_account_of_privacy_will_do(fitted):
    alone = report(fitted.privacy_).to_dict()
    whole = report(fitted).to_dict()
    assert alone["released"] == [] and whole["released"]
    assert alone["ledger"] == whole["ledger"]
    score = private_accuracy([0, 1], [0, 1], epsilon=1.0)
    assert report(score).to_dict()["epsilon"] == 1.0


def test_what_has_none_is_refused(tmp_path):
    with pytest.raises(NotFittedError):
        report(DPKMeans(2))
    for model in (KMeans(2).fit(np.eye(3)), PrivacyBudget(1.0, 1e-5), 3):
        with pytest.raises(TypeError, match="which has no `privacy_`"):
            report(model)
    (tmp_path / "model").write_bytes(b"no model")
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        report(tmp_path / "model")
    with pytest.raises(TypeError, match="title must be a str"):
        report(DPKMeans(2), title=3)
    with pytest.raises(ValueError, match="signed_by is for the path of a file"):
        report(DPKMeans(2), signed_by=b"key")


def test_a_file_says_what_the_estimator_says(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    of_file, of_model = report(tmp_path / "model").to_dict(), report(fitted).to_dict()
    assert of_file.pop("verification")["passed"] is True
    assert of_model.pop("verification") is None
    assert of_file == of_model


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_kinds_are_those_of_the_docstring(cls):
    make, labelled = fit_cases(3)[REGISTRY[cls].case]
    fitted = fit(make(epsilon=5.0), *make_data(300, 3), labelled)
    # Python 3.13 takes the indentation out, which this does everywhere.
    parts = re.split(r"\n(\w+_) : ", inspect.cleandoc(cls.__doc__))
    documented = dict(zip(parts[1::2], parts[2::2], strict=True))
    for name, _, kind in released(fitted):
        text = documented[name.split(".")[0]]
        if kind == "public":
            assert "eleased" not in text
        else:
            assert "eleased" in text or name in ("n_iter_", "precisions_")


def test_methods_are_those_of_the_table_of_the_readme():
    readme = (Path(skdpgmm.__file__).parents[1] / "README.md").read_text()
    for cls in ESTIMATORS:
        (row,) = re.findall(rf"^\| `{cls.__name__}` \|.*$", readme, re.MULTILINE)
        _, _, private, public, of_rows, _ = row.split("|")
        told = set(re.findall(r"`(\w+)`", of_rows))
        assert told == set(methods(cls(), OF_ROWS))
        drawn = set(methods(cls(), DRAWN))
        assert drawn <= set(re.findall(r"`(\w+)`", private))
        names = set(re.findall(r"`(\w+_)`", public))
        assert names - {"n_iter_"} <= set(PUBLIC)


def test_steps_of_a_pipeline_are_told_by_name(tmp_path):
    X, y = make_data(300, 3)
    steps = [("pca", skdpgmm.DPPCA(2)), ("head", skdpgmm.DPLogisticRegression())]
    pipeline = skdpgmm.PrivatePipeline(steps, epsilon=5.0).fit(X, y)
    subject = subject_of(pipeline)
    names = [name for name, _, _ in released(subject.fitted)]
    assert "pca: components_" in names and "head: coef_" in names
    pipeline.save(tmp_path / "pipeline")
    of_file = report(tmp_path / "pipeline").to_dict()
    assert [one["name"] for one in of_file["released"]] == names
    assert of_file["verification"]["passed"] is True
