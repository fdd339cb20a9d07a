"""Weights of classes move the constants of a softmax, and must be of classes."""

import numpy as np
import pytest

from skdpgmm._estimators.class_weights import check_class_weight, log_class_weights

CLASSES, COUNTS = np.array(["a", "b", "c"]), np.array([10.0, 20.0, 30.0])


def test_scores_grow_by_the_logarithm_of_the_weight():
    assert log_class_weights(None, CLASSES, COUNTS).tolist() == [0.0] * 3
    found = log_class_weights({"c": 4.0}, CLASSES, COUNTS)
    np.testing.assert_allclose(found, [0.0, 0.0, np.log(4.0)])
    balanced = np.exp(log_class_weights("balanced", CLASSES, COUNTS)) * COUNTS
    np.testing.assert_allclose(balanced, COUNTS.mean())


@pytest.mark.parametrize(
    "weight", [{"d": 1.0}, {"a": 0.0}, {"a": -1.0}, {"b": np.inf}, {"a": "2"}]
)
def test_bad_weights_are_refused(weight):
    with pytest.raises(ValueError, match="class_weight"):
        check_class_weight(weight, CLASSES)
    for fine in (None, "balanced", {"a": 2.0}):
        check_class_weight(fine, CLASSES)
