"""A synthesizer of three round classes, with and without their labels."""

import pytest
from simple_rows import three_classes

from skdpgmm import DPEmbeddingSynthesizer


@pytest.fixture(scope="session")
def data():
    return three_classes()


@pytest.fixture(scope="session")
def fitted(data):
    return DPEmbeddingSynthesizer(epsilon=1.0, random_state=0).fit(*data)


@pytest.fixture(scope="session")
def unlabelled(data):
    return DPEmbeddingSynthesizer(3, epsilon=1.0, random_state=0).fit(data[0])
