"""What came out, as a table in plain words."""

import pytest

from skdpgmm.privacy import Quality, QualityOfSteps

CLASSES = Quality(
    "class",
    (0, 1, 2),
    (120.4, -3.0, 88.0),
    37.31,
    {"mean": ("clear", "noise", "clear"), "shape": ("weak",) * 3},
)


def test_a_row_for_each_part():
    assert str(CLASSES.named(["no", "yes", "<b>"])).splitlines() == [
        "class  count  ± noise   mean  shape",
        "-----  -----  -------  -----  -----",
        "no       120     37.3  clear   weak",
        "yes       -3     37.3  noise   weak",
        "<b>       88     37.3  clear   weak",
    ]
    assert CLASSES.named(["no", "yes", "<b>"])._repr_html_().count("&lt;b&gt;") == 1


def test_what_nothing_is_known_of_is_no_column():
    counts = Quality("cluster", None, (5.0, 6.0), 1.0)
    assert counts.table() == [
        ("cluster", "count", "± noise"),
        ("0", "5", "1"),
        ("1", "6", "1"),
    ]
    words = Quality("component", (0, 1), words={"mean": ("clear", "weak")})
    assert words.table()[0] == ("component", "class", "mean")


def test_in_one_line():
    expected = "3 classes; mean: 2 clear, 1 noise; shape: 3 weak (see quality)"
    assert CLASSES.summary() == expected
    assert repr(CLASSES) == f"Quality({expected})"
    clusters = Quality("class", (0, 1), words={"clusters": ("3 of 4 clear",) * 2})
    assert clusters.summary() == "2 classes; clusters: 6 of 8 clear (see quality)"
    one = Quality("component", None, (5.0,), 1.0, {"shape": ("clear",)})
    assert one.summary() == "1 component; shape: 1 clear (see quality)"


def test_notes_of_the_same_parts_are_joined():
    weights = Quality("class", (0, 1, 2), words={"weights": ("clear",) * 3})
    both = CLASSES.joined(weights)
    assert (both.counts, both.noise_sd) == (CLASSES.counts, CLASSES.noise_sd)
    assert both.words == {**CLASSES.words, **weights.words}
    again = Quality("class", (0, 1, 2), (1.0, 2.0, 3.0), 0.5, {"mean": ("weak",) * 3})
    assert CLASSES.joined(again).counts == again.counts
    assert CLASSES.joined(again).words["mean"] == ("weak",) * 3


@pytest.mark.parametrize(
    "other",
    [
        Quality("class", (0, 1), (1.0, 2.0), 1.0),
        Quality("component", (0, 1, 1), (1.0, 2.0, 3.0), 1.0),
    ],
)
def test_notes_of_other_parts_begin_anew(other):
    assert CLASSES.joined(other) == other


def test_without_labels_there_is_nothing_to_name():
    clusters = Quality("cluster", None, (5.0, 6.0), 1.0)
    assert clusters.named(["a", "b"]) == clusters
    assert CLASSES.named(None) == CLASSES


def test_that_of_steps_says_whose_it_is():
    one = Quality("class", ("a", "b"), words={"mean": ("clear", "noise")})
    two = Quality("component", words={"direction": ("clear",)})
    both = QualityOfSteps({"first": one, "x < y": two})
    assert both.summary() == f"first: {one.summary()}; x < y: {two.summary()}"
    assert both.summary() in repr(both)
    assert str(both) == f"first\n{one}\n\nx < y\n{two}"
    assert "<td>noise</td>" in both._repr_html_() and "x &lt; y" in both._repr_html_()
