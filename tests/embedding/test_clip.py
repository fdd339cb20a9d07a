"""TorchEmbeddingTransformer with CLIP and BERT, of open_clip and of transformers.

The models are small and randomly initialised: nothing is downloaded.
"""

import json
from functools import partial

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
Image = pytest.importorskip("PIL.Image")

import tiny_clip  # noqa: E402

from skdpgmm import DPEmbeddingSynthesizer, TorchEmbeddingTransformer  # noqa: E402

SIZE, WIDTH = 16, 8
# Random weights of the usual size give rows that are all alike.
SPREAD = {"initializer_range": 0.5}
TEXT = {**tiny_clip.text_config(WIDTH), **SPREAD}
VISION = {**tiny_clip.vision_config(WIDTH, SIZE), **SPREAD}
WORDS = ["a", "cat", "dog", "sat", "on", "the", "mat", "ran"]


@pytest.fixture(scope="module")
def images():
    """PIL images of several sizes."""
    rng = np.random.default_rng(0)
    shapes = [(20, 24, 3), (17, 31, 3), (16, 16, 3)]
    return [
        Image.fromarray(rng.integers(256, size=shapes[i % 3]).astype(np.uint8))
        for i in range(60)
    ]


@pytest.fixture(scope="module")
def texts():
    """Strings of several lengths."""
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, size=1 + i % 5)) for i in range(60)]


def check(embed, items, by_hand):
    """Check that rows are those of the module, of norm 1, and fit for use."""
    Z = embed.set_params(batch_size=13).fit(items).transform(items)
    with torch.inference_mode():
        expected = by_hand(items)
    assert expected.shape == (len(items), WIDTH) and expected.std(dim=0).min() > 1e-4
    expected = torch.nn.functional.normalize(expected)
    assert Z.dtype == np.float32
    np.testing.assert_allclose(Z, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(Z, axis=1), 1, atol=1e-5)

    synthesize = DPEmbeddingSynthesizer(epsilon=8.0, clip_norm=1.0, random_state=0)
    labels = np.arange(len(items)) % 2
    pipeline = Pipeline([("embed", embed), ("synthesize", synthesize)])
    Z_new, labels_new = pipeline.fit(items, labels)[-1].sample(20)
    assert Z_new.shape == (20, WIDTH) and np.isfinite(Z_new).all()
    assert set(labels_new) <= {0, 1}


@pytest.fixture(scope="module")
def open_clip_model(tmp_path_factory):
    """A model of open_clip, its image transform and its tokenizer."""
    open_clip = pytest.importorskip("open_clip")
    name = "skdpgmm-tiny"
    vision = {"image_size": SIZE, "layers": 1, "width": 8, "patch_size": 8}
    text = {"context_length": 10, "vocab_size": 49408, "width": 8, "layers": 1}
    config = {
        "embed_dim": WIDTH,
        "vision_cfg": {**vision, "head_width": 4},
        "text_cfg": {**text, "heads": 2},
    }
    folder = tmp_path_factory.mktemp("configs")
    (folder / f"{name}.json").write_text(json.dumps(config))
    open_clip.add_model_config(folder)
    model, _, transform = open_clip.create_model_and_transforms(name)
    return model.eval(), transform, open_clip.get_tokenizer(name)


@pytest.fixture(scope="module")
def processor():
    """The image processor of transformers' CLIP, for batches."""
    sizes = {"size": {"shortest_edge": SIZE}, "crop_size": SIZE}
    return partial(transformers.CLIPImageProcessor(**sizes), return_tensors="pt")


def test_open_clip_images(open_clip_model, images):
    model, transform, _ = open_clip_model
    embed = TorchEmbeddingTransformer(
        model.encode_image, preprocess=transform, preprocess_level="item"
    )

    def by_hand(items):
        return model.encode_image(torch.stack([transform(item) for item in items]))

    check(embed, images, by_hand)


@pytest.mark.parametrize("container", [list, np.array])
def test_open_clip_texts(open_clip_model, texts, container):
    model, _, tokenizer = open_clip_model
    embed = TorchEmbeddingTransformer(model.encode_text, preprocess=tokenizer)

    def by_hand(items):
        return model.encode_text(tokenizer(list(items)))

    check(embed, container(texts), by_hand)


def test_clip_vision_model(processor, images):
    config = transformers.CLIPVisionConfig(**VISION)
    model = transformers.CLIPVisionModelWithProjection(config).eval()
    embed = TorchEmbeddingTransformer(model, preprocess=processor)
    check(embed, images, lambda items: model(**processor(items)).image_embeds)


def test_clip_image_features(processor, images):
    config = transformers.CLIPConfig(
        text_config=TEXT, vision_config=VISION, projection_dim=WIDTH
    )
    model = transformers.CLIPModel(config).eval()
    embed = TorchEmbeddingTransformer(
        model.get_image_features, preprocess=processor, layer="visual_projection"
    )

    def by_hand(items):
        features = model.get_image_features(**processor(items))
        return getattr(features, "pooler_output", features)  # a tensor before 5.0

    check(embed, images, by_hand)


def test_clip_text_model(texts, tmp_path):
    tokenizer = partial(
        tiny_clip.tokenizer(tmp_path),
        padding=True,
        truncation=True,
        return_tensors="pt",
    )
    config = transformers.CLIPTextConfig(**TEXT)
    model = transformers.CLIPTextModelWithProjection(config).eval()
    embed = TorchEmbeddingTransformer(model, preprocess=tokenizer)
    check(embed, texts, lambda items: model(**tokenizer(items)).text_embeds)


@pytest.mark.parametrize("pooling", ["mean", "max", "cls"])
def test_bert(texts, tmp_path, pooling):
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary))
    tokenizer = partial(
        transformers.BertTokenizer(str(tmp_path / "vocab.txt")),
        padding=True,
        return_tensors="pt",
    )
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=WIDTH,
        intermediate_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=12,
        initializer_range=0.5,
    )
    model = transformers.BertModel(config).eval()
    embed = TorchEmbeddingTransformer(model, preprocess=tokenizer, pooling=pooling)

    def by_hand(items):
        # One at a time, there is nothing to pad or to hide.
        hidden = [model(**tokenizer([item])).last_hidden_state for item in items]
        pool = {
            "mean": lambda tokens: tokens.mean(dim=1),
            "max": lambda tokens: tokens.amax(dim=1),
            "cls": lambda tokens: tokens[:, 0],
        }[pooling]
        return torch.cat([pool(tokens) for tokens in hidden])

    check(embed, texts, by_hand)
