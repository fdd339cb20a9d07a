"""What the tests of torch modules start from."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _seed():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def images(rng):
    return rng.normal(size=(11, 3, 8, 8)).astype(np.float32)


@pytest.fixture
def net():
    from torch_modules import ConvNet

    return ConvNet().eval()
