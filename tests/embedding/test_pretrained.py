"""What encoders by name share: models that stay loaded, and their ways in."""

import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import tiny_models  # noqa: E402
from sklearn.utils.estimator_checks import (  # noqa: E402
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
)

from skdpgmm import ImageEncoder, TextEncoder  # noqa: E402
from skdpgmm._embedding import pretrained  # noqa: E402
from skdpgmm._embedding.pretrained import Features, loaded_model  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_models.text_model(tmp_path_factory.mktemp("text"))


def test_a_model_is_loaded_once_in_evaluation_mode(folder):
    model = loaded_model(str(folder), "get_text_features")
    assert loaded_model(str(folder), "get_text_features") is model
    assert not model.training and next(model.parameters()).dtype == torch.float32


def test_a_pickle_has_no_model_in_it(folder):
    embed = TextEncoder(folder)
    Z = embed.fit_transform(["a cat", "dog"])
    pickled = pickle.dumps(embed)
    assert len(pickled) < 2000
    np.testing.assert_array_equal(pickle.loads(pickled).transform(["a cat", "dog"]), Z)


def test_callbacks_see_the_batches(folder):
    from sklearn.callback import ProgressBar

    pytest.importorskip("rich")
    embed = TextEncoder(folder, batch_size=1).set_callbacks(ProgressBar())
    assert embed.transform(["a cat", "dog"]).shape == (2, tiny_models.WIDTH)


@pytest.mark.parametrize(
    "there, message",
    [
        (RuntimeError("operator torchvision::nms does not exist"), "from one index"),
        (ImportError("none"), "Could not import module"),
        (None, "Could not import module"),
    ],
    ids=["of another build", "missing", "as it should be"],
)
def test_a_model_that_cannot_be_loaded_for_its_torchvision(monkeypatch, there, message):
    def load(name):
        raise ModuleNotFoundError("Could not import module 'BertModel'")

    def import_module(name):
        if there is not None:
            raise there

    monkeypatch.setattr(transformers.AutoModel, "from_pretrained", load)
    monkeypatch.setattr(pretrained, "import_module", import_module)
    with pytest.raises(ImportError, match=message):
        loaded_model("of nobody", "get_text_features")


@pytest.mark.parametrize("wrapped", [False, True])
def test_features_are_the_tensor(wrapped):
    class Both(torch.nn.Module):
        def forward_texts(self, x):
            return transformers.utils.ModelOutput(pooler_output=x) if wrapped else x

    found = Features(Both(), "forward_texts")(x=torch.ones(2, 3))
    assert torch.equal(found, torch.ones(2, 3))


@pytest.mark.parametrize("cls", [ImageEncoder, TextEncoder])
@pytest.mark.parametrize(
    "check",
    [
        check_get_params_invariance,
        check_no_attributes_set_in_init,
        check_parameters_default_constructible,
        check_set_params,
    ],
)
def test_parameters_are_those_of_scikit_learn(cls, check):
    check(cls.__name__, cls("a name"))


@pytest.mark.parametrize("cls", [ImageEncoder, TextEncoder])
def test_bad_parameters(cls):
    for params in ({"model": 3}, {"batch_size": 0}, {"device": 0}, {"verbose": "yes"}):
        with pytest.raises(ValueError, match=f"The '{next(iter(params))}' parameter"):
            cls("a name").set_params(**params).transform(["a cat"])
