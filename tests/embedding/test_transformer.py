"""Tests of TorchEmbeddingTransformer."""

import pickle
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch_modules import Function  # noqa: E402

from skdpgmm._embedding.transformer import TorchEmbeddingTransformer  # noqa: E402

# Checks that are expected to fail, with the reason of each.
EXPECTED_FAILED_CHECKS: dict[str, str] = {}


@parametrize_with_checks(
    [
        TorchEmbeddingTransformer(nn.Identity()),
        TorchEmbeddingTransformer(nn.Identity(), normalize=False, batch_size=7),
    ],
    expected_failed_checks=lambda estimator: EXPECTED_FAILED_CHECKS,
)
def test_sklearn_checks(estimator, check):
    check(estimator)


def test_clone_pickle_and_joblib(net, images, tmp_path):
    transformer = TorchEmbeddingTransformer(net).fit(images)
    expected = transformer.transform(images)
    joblib.dump(transformer, tmp_path / "transformer.joblib")
    for other in (
        clone(transformer),
        pickle.loads(pickle.dumps(transformer)),
        joblib.load(tmp_path / "transformer.joblib"),
    ):
        assert other.module is not net
        np.testing.assert_array_equal(other.transform(images), expected)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output_and_feature_names(container, net, images):
    pytest.importorskip(container)
    transformer = TorchEmbeddingTransformer(net).set_output(transform=container)
    Z = transformer.fit_transform(images)
    names = [f"torchembeddingtransformer{j}" for j in range(4)]
    assert list(Z.columns) == names
    assert list(transformer.get_feature_names_out()) == names


def test_feature_names_in_are_checked(rng):
    frame = pd.DataFrame(rng.normal(size=(5, 3)), columns=list("abc"))
    transformer = TorchEmbeddingTransformer(nn.Identity()).fit(frame)
    assert transformer.n_features_in_ == 3
    assert list(transformer.feature_names_in_) == list("abc")
    with pytest.raises(ValueError, match="feature names should match"):
        transformer.transform(frame.rename(columns={"a": "z"}))
    transformer.fit(frame.to_numpy())
    assert not hasattr(transformer, "feature_names_in_")
    with pytest.raises(ValueError, match="expecting 3 features"):
        transformer.transform(torch.ones(4, 2))


def test_refit_on_images_forgets_features(images):
    transformer = TorchEmbeddingTransformer(nn.Flatten()).fit(images[:, 0, 0])
    assert transformer.n_features_in_ == 8
    transformer.fit(images)
    assert not hasattr(transformer, "n_features_in_")


def test_stateless_and_fit_runs_two_rows(images):
    sizes = []
    module = Function(lambda x: (sizes.append(len(x)), x.mean((2, 3)))[1])
    transformer = TorchEmbeddingTransformer(module)
    Z = transformer.transform(images)
    assert max(sizes) == len(images)
    sizes.clear()
    np.testing.assert_array_equal(transformer.fit(images).transform(images), Z)
    assert sizes[0] == 2
    with pytest.raises(Exception, match="not fitted"):
        TorchEmbeddingTransformer(module).get_feature_names_out()


def test_pipelines(net, images, rng):
    scaled = make_pipeline(TorchEmbeddingTransformer(net), StandardScaler())
    assert abs(scaled.fit_transform(images).mean(axis=0)).max() < 1e-5
    model = make_pipeline(
        TorchEmbeddingTransformer(net, preprocess=torch.stack), LogisticRegression()
    )
    listed = [torch.tensor(image) for image in images]
    y = rng.permutation(np.arange(len(images)) % 2)
    assert model.fit(listed, y).predict(listed).shape == (len(images),)


@pytest.mark.parametrize(
    "params",
    [
        {"module": "resnet"},
        {"preprocess": "tokenizer"},
        {"preprocess_level": "row"},
        {"layer": 3},
        {"pooling": "median"},
        {"normalize": "l2"},
        {"batch_size": 0},
        {"device": 0},
        {"decoder": "vae"},
        {"verbose": "yes"},
    ],
)
def test_bad_parameters(params, images):
    transformer = TorchEmbeddingTransformer(nn.Flatten()).set_params(**params)
    for method in (transformer.fit, transformer.transform):
        with pytest.raises(ValueError, match=f"The '{next(iter(params))}' parameter"):
            method(images)


@pytest.mark.parametrize("with_tqdm", [True, False])
def test_verbose(with_tqdm, monkeypatch, capsys):
    if with_tqdm:
        pytest.importorskip("tqdm")
    else:
        monkeypatch.setitem(sys.modules, "tqdm", None)
    X = np.full((30, 2), 7.25)
    transformer = TorchEmbeddingTransformer(nn.Identity(), batch_size=2, verbose=True)
    transformer.transform(X)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "embed" in captured.err and "100" in captured.err
    assert "7.25" not in captured.err
    if not with_tqdm:
        assert len(captured.err.splitlines()) == 10
    transformer.set_params(verbose=False).transform(X)
    assert capsys.readouterr().err == ""
