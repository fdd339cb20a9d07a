"""Batches of items that are loaded: files, other processes, and bad ones named."""

import multiprocessing

import numpy as np
import pytest

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from torch import nn  # noqa: E402
from torch_modules import ConvNet  # noqa: E402

from skdpgmm import TorchEmbeddingTransformer  # noqa: E402


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    paths = [folder / f"{i}.png" for i in range(7)]
    for path in paths:
        Image.fromarray(rng.integers(256, size=(8, 8, 3), dtype=np.uint8)).save(path)
    return paths


def as_array(image):
    return np.moveaxis(np.atleast_3d(np.asarray(image)), 2, 0).astype(np.float32)


def as_batch(images):
    return np.stack([as_array(image) for image in images])


def embedding(**params):
    torch.manual_seed(0)
    given = {"preprocess": as_array, "preprocess_level": "item", "batch_size": 3}
    return TorchEmbeddingTransformer(ConvNet().eval(), **{**given, **params})


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"num_workers": 2},
        {"preprocess": as_batch, "preprocess_level": "batch"},
    ],
)
def test_paths_are_opened(files, params):
    opened = [as_array(Image.open(path)) for path in files]
    Z = embedding(**params).transform(files)
    np.testing.assert_array_equal(Z, embedding().transform([*map(Image.open, files)]))
    np.testing.assert_array_equal(
        Z, embedding(preprocess=None).transform(np.stack(opened))
    )


class Labelled(torch.utils.data.Dataset):
    def __init__(self, files):
        self.files = files

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        return self.files[i], i % 2


def test_paths_beside_labels_are_opened(files):
    Z = embedding().transform(Labelled(files))
    np.testing.assert_array_equal(Z, embedding().transform(files))


def test_workers_leave_the_randomness_of_torch_alone(files):
    transformer = embedding(num_workers=1)
    before = torch.get_rng_state()
    transformer.transform(files)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("num_workers", [0, 1])
@pytest.mark.parametrize("level", ["item", "batch"])
@pytest.mark.parametrize("fault", ["missing", "truncated", "text", "greyscale"])
def test_a_bad_file_is_named(files, tmp_path, fault, level, num_workers):
    bad = tmp_path / "bad.png"
    if fault == "truncated":
        bad.write_bytes(files[0].read_bytes()[:-60])
    elif fault == "text":
        bad.write_text("no image")
    elif fault == "greyscale":
        Image.fromarray(np.zeros((8, 8), dtype=np.uint8)).save(bad)
    function = as_array if level == "item" else as_rgb_batch
    transformer = embedding(
        preprocess=function, preprocess_level=level, num_workers=num_workers
    )
    X = [*files[:4], bad, files[5]]
    with pytest.raises(ValueError, match=r"[iI]tem 4"):
        transformer.transform(X)
    assert not hasattr(transformer, "n_features_in_")
    assert not multiprocessing.active_children()


@pytest.fixture
def started_anew():
    """Processes start as on macOS and Windows, and not as copies of this one."""
    before = multiprocessing.get_start_method()
    multiprocessing.set_start_method("spawn", force=True)
    yield
    multiprocessing.set_start_method(before, force=True)


class WithALambda(Labelled):
    def __init__(self, files):
        super().__init__(files)
        self.transform = lambda path: path


@pytest.mark.parametrize(
    ("name", "params", "as_items"),
    [
        ("preprocess", {"preprocess": lambda image: as_array(image)}, list),
        ("X", {}, WithALambda),
    ],
)
def test_what_cannot_be_sent_to_workers_is_named(
    files, started_anew, name, params, as_items
):
    match = f"^{name} must be picklable with num_workers=1, .*num_workers=0"
    with pytest.raises(TypeError, match=match):
        embedding(num_workers=1, **params).transform(as_items(files))
    assert not multiprocessing.active_children()


def test_workers_that_start_anew_give_the_same(files, started_anew):
    Z = embedding(num_workers=1).transform(files)
    np.testing.assert_array_equal(Z, embedding().transform(files))


def as_rgb_batch(images):
    for image in images:
        if image.mode != "RGB":
            raise ValueError(f"needs RGB, got {image.mode}")
    return as_batch(images)


def test_what_preprocess_raises_is_named():
    def preprocess(text):
        return torch.tensor([float(text)])

    transformer = TorchEmbeddingTransformer(
        nn.Identity(), preprocess=preprocess, preprocess_level="item", batch_size=2
    )
    with pytest.raises(ValueError, match="failed for item 3 of X: ValueError: could"):
        transformer.transform(["1", "2", "3", "four"])


def test_what_is_wrong_with_a_whole_batch_is_said_of_it():
    def preprocess(items):
        if len(items) > 1:
            raise KeyError("only one")
        return torch.ones(1, 1)

    transformer = TorchEmbeddingTransformer(nn.Identity(), preprocess=preprocess)
    with pytest.raises(KeyError) as caught:
        transformer.transform(["a", "b", "c"])
    assert caught.value.__notes__ == ["preprocess was given items 0 to 2 of X"]
