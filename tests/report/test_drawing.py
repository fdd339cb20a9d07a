"""A drawing is an SVG that stays within its frame."""

import re
from xml.etree import ElementTree

import pytest

from skdpgmm._report.drawing import Axis, drawing, round_axis


def numbers(points):
    return [float(x) for x in re.findall(r"[-\d.]+", points)]


def test_it_is_one_svg_and_all_points_are_inside():
    x = Axis("x <&>", 1e-9, 1e-3, ((1e-9, "1e-9"),), True)
    curve = [(1e-9, 4.0), (1e-6, 2.0), (1e-3, 0.0)]
    svg = drawing("A <curve>", x, round_axis("y", 4.0), curve, curve[:2], "other")
    root = ElementTree.fromstring(svg)
    _, _, width, height = map(float, root.get("viewBox").split())
    lines = [one.get("points") for one in root.iter() if one.tag.endswith("polyline")]
    assert len(lines) == 2
    for points in lines:
        found = numbers(points)
        assert all(0.0 <= value <= width for value in found[::2])
        assert all(0.0 <= value <= height for value in found[1::2])
    # The middle of a logarithmic axis is the geometric mean of its ends.
    (first, _), (middle, _), (last, _) = zip(
        *[iter(numbers(lines[1]))] * 2, strict=True
    )
    assert middle == pytest.approx((first + last) / 2, abs=0.1)
    texts = [one.text for one in root.iter() if one.text]
    assert {"A <curve>", "x <&>", "y", "other"} <= set(texts)


@pytest.mark.parametrize("largest", [1e-6, 0.3, 1.0, 7.0, 99.0, 12345.0])
def test_an_axis_reaches_to_the_largest_and_not_much_further(largest):
    axis = round_axis("y", largest)
    assert axis.low == 0.0 and largest <= axis.high * (1 + 1e-12) <= 2.1 * largest
    assert 2 <= len(axis.ticks) <= 7
    assert [float(text) for _, text in axis.ticks] == pytest.approx(
        [value for value, _ in axis.ticks], rel=1e-3
    )
