"""Texts by the name of a model: what transformers gives, as rows."""

import sys
from collections import UserList

import dask.dataframe as dd
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import tiny_models  # noqa: E402

from skdpgmm import TextEncoder  # noqa: E402
from skdpgmm._embedding.text_encoder import what_it_says  # noqa: E402

TEXTS = ["a cat sat", "the dog ran on the mat", "dog", "a mat"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_models.text_model(tmp_path_factory.mktemp("text"))


def by_hand(folder, texts, pooling="mean"):
    """One at a time: there is nothing to pad or to hide."""
    model = transformers.AutoModel.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    rows = []
    with torch.inference_mode():
        for text in texts:
            hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
            pooled = {"mean": hidden.mean(0), "cls": hidden[0], "max": hidden.amax(0)}
            rows.append(pooled[pooling].numpy())
    return np.array(rows)


CONTAINERS = {
    "list": TEXTS,
    "array": np.array(TEXTS),
    "array of a column": np.array(TEXTS)[:, None],
    "objects of a column": np.array(TEXTS, dtype=object)[:, None],
    "series": pd.Series(TEXTS),
    "frame": pd.DataFrame({"text": TEXTS}),
    "polars": pl.DataFrame({"text": TEXTS}),
    "arrow": pa.chunked_array([TEXTS]),
    # as the columns of a data set of Hugging Face
    "sequence": UserList(TEXTS),
}


@pytest.mark.parametrize("X", CONTAINERS.values(), ids=CONTAINERS)
def test_rows_of_texts_in_every_container(folder, X):
    embed = TextEncoder(folder, normalize=False, batch_size=3)
    assert_allclose(embed.fit_transform(X), by_hand(folder, TEXTS), atol=1e-5)
    assert len(embed.get_feature_names_out()) == tiny_models.WIDTH


@pytest.mark.filterwarnings("ignore:Dask currently has limited support")
def test_rows_of_a_column_of_dask(folder):
    texts = dd.from_pandas(pd.Series(TEXTS), npartitions=2)
    embed = TextEncoder(folder)
    assert_allclose(embed.transform(texts), embed.transform(TEXTS), atol=1e-6)


@pytest.mark.parametrize("pooling", ["cls", "max", "mean"])
def test_pooling_is_what_a_model_says_or_what_is_asked_for(tmp_path, folder, pooling):
    asked = TextEncoder(str(folder), pooling=pooling, normalize=False)
    expected = by_hand(folder, TEXTS, pooling)
    assert_allclose(asked.transform(TEXTS), expected, atol=1e-5)
    mode = "cls_token" if pooling == "cls" else f"{pooling}_tokens"
    parts = ("Transformer", "Pooling", "Normalize")
    told = tiny_models.text_model(tmp_path / "told", pooling=(mode,), parts=parts)
    expected = by_hand(told, TEXTS, pooling)
    auto = TextEncoder(told, normalize=False)
    assert_allclose(auto.transform(TEXTS), expected, atol=1e-5)


def test_long_texts_are_cut_where_the_model_or_the_caller_says(tmp_path, folder):
    longer = ["cat dog mat " * 20]
    # The first and the last token are of no word.
    cut = by_hand(folder, ["cat dog mat cat"])
    short = TextEncoder(folder, max_length=6, normalize=False)
    assert_allclose(short.transform(longer), cut, atol=1e-5)
    told = tiny_models.text_model(tmp_path / "told", max_length=6)
    embed = TextEncoder(told, normalize=False)
    cut = by_hand(told, ["cat dog mat cat"])
    assert_allclose(embed.transform(longer), cut, atol=1e-5)
    # A tokenizer that knows no limit is given that of the model.
    assert np.isfinite(TextEncoder(folder).transform(longer)).all()


def test_a_prompt_comes_first(folder):
    embed = TextEncoder(folder, prompt="query ", normalize=False)
    expected = by_hand(folder, [f"query {text}" for text in TEXTS])
    assert_allclose(embed.transform(TEXTS), expected, atol=1e-5)


def test_a_clone_has_the_same_rows_and_norms_are_one(folder):
    embed = TextEncoder(folder)
    Z = embed.transform(TEXTS)
    assert_array_equal(clone(embed).transform(TEXTS), Z)
    assert_allclose(np.linalg.norm(Z, axis=1), 1.0, atol=1e-6)
    # Shown without a model, which would have to be loaded.
    assert "nowhere" in TextEncoder("nowhere")._repr_html_()


def test_models_of_texts_and_images(tmp_path):
    folder = tiny_models.clip_model(tmp_path / "clip")
    model = transformers.AutoModel.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    texts = ["abc", "de", "fghij"]
    with torch.inference_mode():
        inputs = tokenizer(texts, padding=True, return_tensors="pt")
        found = model.get_text_features(**inputs)
    expected = getattr(found, "pooler_output", found)  # a tensor before 5.0
    embed = TextEncoder(folder, normalize=False)
    assert_allclose(embed.transform(texts), expected, atol=1e-5)
    with pytest.raises(ValueError, match="pooling must be 'auto' for a model of texts"):
        embed.set_params(pooling="mean").transform(texts)


def test_models_that_are_more_than_this_are_refused(tmp_path):
    more = ("Transformer", "Pooling", "Dense")
    folder = tiny_models.text_model(tmp_path / "dense", parts=more)
    with pytest.raises(ValueError, match=r"\['Dense'\]: load it with sentence"):
        TextEncoder(folder).transform(TEXTS)
    strange = ("weightedmean_tokens",)
    folder = tiny_models.text_model(tmp_path / "strange", pooling=strange)
    with pytest.raises(ValueError, match="pooling must be given for"):
        what_it_says(str(folder))


def test_bad_input_is_not_quoted(folder):
    embed = TextEncoder(folder)
    with pytest.raises(TypeError, match="single str"):
        embed.transform("a secret")
    with pytest.raises(ValueError, match=r"got a float") as caught:
        embed.transform(["a secret", 12345.678])
    assert "secret" not in str(caught.value) and "12345" not in str(caught.value)
    two = pd.DataFrame({"text": ["a secret"], "more": ["a secret"]})
    with pytest.raises((TypeError, ValueError)) as caught:
        embed.transform(two)
    assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match="'max_length' parameter"):
        TextEncoder(folder, max_length=0).transform(TEXTS)


def test_without_transformers_it_says_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'skdpgmm\[encoders\]'"):
        TextEncoder(folder).transform(TEXTS)
