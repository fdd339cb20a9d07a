"""What the caller holds stays as it is, whatever works in place."""

import copy

import numpy as np
import pandas as pd
import pytest

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from torch import nn  # noqa: E402
from torch_modules import Function, Images  # noqa: E402

from skdpgmm import OnnxEncoder, TorchEmbeddingTransformer  # noqa: E402

ROWS = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
PICTURES = np.random.default_rng(1).normal(size=(7, 3, 4, 4)).astype(np.float32)


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


CONTAINERS = {
    "tensor": torch.tensor,
    "tensor with a gradient": lambda X: torch.tensor(X, requires_grad=True),
    "view of a tensor": lambda X: torch.tensor(np.repeat(X, 2, axis=0))[::2],
    "array": np.copy,
    "doubles": lambda X: X.astype(np.float64),
    "read-only": read_only,
    "list of arrays": lambda X: list(X.copy()),
    "list of tensors": lambda X: list(torch.tensor(X)),
    "dataset": lambda X: Images(torch.tensor(X)),
}


def values_of(X):
    """Every number that the caller can see, as a copy."""
    items = X.items if isinstance(X, Images) else X
    if isinstance(items, list):
        return np.stack([values_of(item) for item in items])
    if isinstance(items, torch.Tensor):
        return items.detach().numpy().copy()
    return np.array(items)


def normalized(x):
    x -= x.mean(1, keepdim=True)
    x /= x.std(1, keepdim=True)
    return x


# Modules that work in place, and what they compute.
IN_PLACE = {
    "relu": (
        lambda: nn.Sequential(nn.ReLU(inplace=True), nn.Flatten()),
        lambda x: x.clamp(min=0).flatten(1),
    ),
    "dropout": (
        lambda: nn.Sequential(nn.Dropout(0.5, inplace=True), nn.Flatten()),
        lambda x: x.flatten(1),
    ),
    "normalization": (
        lambda: nn.Sequential(nn.Flatten(), Function(normalized)),
        lambda x: normalized(x.flatten(1).clone()),
    ),
    "operator": (
        lambda: Function(lambda x: x.mul_(2.0).add_(1.0).flatten(1)),
        lambda x: (2.0 * x + 1.0).flatten(1),
    ),
    # Run twice: `view` does not work with the channels last.
    "view": (
        lambda: Function(lambda x: x.add_(1.0).view(len(x), -1)),
        lambda x: (x + 1.0).flatten(1),
    ),
}


@pytest.mark.parametrize("data", [ROWS, PICTURES], ids=["rows", "pictures"])
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("module", IN_PLACE)
def test_a_module_may_work_in_place(module, container, data):
    make, function = IN_PLACE[module]
    X = CONTAINERS[container](data)
    before = values_of(X)
    transformer = TorchEmbeddingTransformer(make(), normalize=False, batch_size=3)
    Z = transformer.fit(X).transform(X)
    np.testing.assert_array_equal(values_of(X), before)
    np.testing.assert_allclose(Z, function(torch.tensor(data)), atol=1e-5)


def test_channels_last_and_frames():
    pictures = torch.tensor(PICTURES).to(memory_format=torch.channels_last)
    frame = pd.DataFrame(ROWS)
    for X in (pictures, frame):
        before = values_of(X)
        TorchEmbeddingTransformer(IN_PLACE["relu"][0]()).transform(X)
        np.testing.assert_array_equal(values_of(X), before)


def in_place(batch):
    """A preprocess that overwrites what it is given, and returns it."""
    batch -= 1.0
    batch *= 3.0
    return torch.as_tensor(batch)


def each_in_place(items):
    return torch.stack([in_place(item) for item in items])


@pytest.mark.parametrize("level", ["batch", "item"])
@pytest.mark.parametrize(
    "container, num_workers",
    [*((name, 0) for name in CONTAINERS), ("tensor", 1), ("list of arrays", 1)],
)
def test_preprocess_may_work_in_place(container, level, num_workers):
    X = CONTAINERS[container](ROWS)
    if level == "batch" and not isinstance(X, np.ndarray | torch.Tensor):
        function = each_in_place
    else:
        function = in_place
    before = values_of(X)
    transformer = TorchEmbeddingTransformer(
        nn.ReLU(inplace=True),
        preprocess=function,
        preprocess_level=level,
        normalize=False,
        batch_size=3,
        num_workers=num_workers,
    )
    with torch.no_grad():
        Z = transformer.fit(X).transform(X)
    np.testing.assert_array_equal(values_of(X), before)
    np.testing.assert_allclose(Z, np.maximum(3.0 * (ROWS - 1.0), 0.0), atol=1e-5)


def test_what_preprocess_returns_again_and_again_stays():
    shared = torch.full((1, 5), -1.0)

    class Sum(nn.Module):
        def forward(self, x, bias):
            return x.add_(bias.abs_())

    for as_inputs in (
        lambda x: (x, shared.expand(len(x), 5)[:1]),
        lambda x: {"x": x, "bias": shared},
    ):
        X = torch.tensor(ROWS)
        transformer = TorchEmbeddingTransformer(
            Sum(), preprocess=as_inputs, normalize=False
        )
        np.testing.assert_allclose(transformer.transform(X), ROWS + 1.0, atol=1e-6)
        assert torch.equal(shared, torch.full((1, 5), -1.0))
        np.testing.assert_array_equal(X.numpy(), ROWS)


def test_items_of_items():
    """Parts of a dict, a list or a tuple are the caller's too."""
    X = [{"rows": [torch.tensor(row)], "more": (row.copy(), "text")} for row in ROWS]
    before = copy.deepcopy(X)

    def preprocess(item):
        item["more"][0][:] = 0.0
        return in_place(item.pop("rows")[0])

    transformer = TorchEmbeddingTransformer(
        nn.Identity(), preprocess=preprocess, preprocess_level="item", normalize=False
    )
    np.testing.assert_allclose(transformer.transform(X), 3.0 * (ROWS - 1.0), atol=1e-5)
    for found, wanted in zip(X, before, strict=True):
        assert torch.equal(found["rows"][0], wanted["rows"][0])
        np.testing.assert_array_equal(found["more"][0], wanted["more"][0])


def test_images_may_be_shrunk_in_place():
    pixels = np.random.default_rng(0).integers(256, size=(5, 16, 16), dtype=np.uint8)
    pictures = [Image.fromarray(some) for some in pixels]

    def preprocess(picture):
        picture.thumbnail((4, 4))
        return torch.from_numpy(np.array(picture, dtype=np.float32)[None])

    transformer = TorchEmbeddingTransformer(
        nn.Flatten(), preprocess=preprocess, preprocess_level="item"
    )
    assert transformer.fit(pictures).transform(pictures).shape == (5, 16)
    for picture, some in zip(pictures, pixels, strict=True):
        np.testing.assert_array_equal(np.asarray(picture), some)


def test_a_mask_that_the_module_overwrites_still_hides_tokens():
    hidden = torch.randn(3, 4, 2)
    mask = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]])

    def module(hidden, attention_mask):
        attention_mask.fill_(1)
        return hidden

    transformer = TorchEmbeddingTransformer(
        module,
        preprocess=lambda rows: {
            "hidden": hidden[rows[:, 0].long()],
            "attention_mask": mask[rows[:, 0].long()],
        },
        pooling="mean",
        normalize=False,
    )
    Z = transformer.transform(torch.arange(3)[:, None])
    expected = [h[m.bool()].mean(0) for h, m in zip(hidden, mask, strict=True)]
    np.testing.assert_allclose(Z, torch.stack(expected), atol=1e-6)


def test_a_decoder_may_work_in_place():
    Z = ROWS.copy()
    transformer = TorchEmbeddingTransformer(
        nn.Identity(), decoder=nn.ReLU(inplace=True)
    )
    np.testing.assert_array_equal(transformer.inverse_transform(Z), np.maximum(Z, 0.0))
    np.testing.assert_array_equal(Z, ROWS)


@pytest.mark.parametrize("container", ["tensor", "array", "read-only"])
def test_a_translation_to_onnx_leaves_the_example(container):
    pytest.importorskip("onnxruntime")
    X = CONTAINERS[container](ROWS)
    module = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(5, 3))
    encoder = OnnxEncoder.from_torch(module, X)
    np.testing.assert_array_equal(values_of(X), ROWS)
    with torch.no_grad():
        expected = module(torch.tensor(ROWS))
    given = torch.tensor(ROWS)
    np.testing.assert_allclose(encoder(given), expected, atol=1e-5)
    np.testing.assert_array_equal(given, ROWS)
