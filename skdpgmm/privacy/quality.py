"""What came out of a fit, part by part: it prints and decides nothing."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from skdpgmm.privacy.tables import as_html, as_text

_OF = re.compile(r"(\d+) of (\d+) clear")


@dataclass(frozen=True, repr=False)
class Quality:
    """Which parts of a model stand out of their noise.

    A part is a class, a cluster or a component. All numbers were released, and the
    words follow from these and from the known scale of the noise, so that telling them
    costs nothing.

    Attributes
    ----------
    what : {"class", "cluster", "component", "feature"}
        What a part is.
    classes : tuple of label, or None
        Class of each part; None without labels.
    counts : tuple of float
        Noisy number of records of each part; empty where none was released.
    noise_sd : float or None
        Standard deviation of the noise in each of `counts`.
    words : dict of str to tuple of str
        For each column, such as "mean" or "shape", a word for each part: "clear" where
        noise is at most a third of what was released, in length, "noise" where it may
        be all of it, and "weak" between.

    Notes
    -----
    Privacy: all of it is a function of releases and public numbers.

    Examples
    --------
    >>> from skdpgmm.privacy import Quality
    >>> words = {"mean": ("clear", "noise")}
    >>> print(Quality("class", ("no", "yes"), (203.4, 12.1), 18.13, words))
    class  count  ± noise   mean
    -----  -----  -------  -----
    no       203     18.1  clear
    yes       12     18.1  noise
    """

    what: str
    classes: tuple[Any, ...] | None = None
    counts: tuple[float, ...] = ()
    noise_sd: float | None = None
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        columns = [self.counts, *self.words.values()]
        return max(map(len, columns))

    def joined(self, later: Quality) -> Quality:
        """Return what was known before and later: the later, where both tell of it."""
        if self.what != later.what or len(self) != len(later):
            return later
        return Quality(
            self.what,
            self.classes if later.classes is None else later.classes,
            later.counts or self.counts,
            self.noise_sd if later.noise_sd is None else later.noise_sd,
            {**self.words, **later.words},
        )

    def named(self, labels) -> Quality:
        """Return the same with the labels of classes in place of their codes."""
        if self.classes is None or labels is None:
            return self
        classes = tuple(labels[code] for code in self.classes)
        return Quality(self.what, classes, self.counts, self.noise_sd, self.words)

    def summary(self) -> str:
        """Return how many parts each word is true of, in one line."""
        lines = []
        for column, words in self.words.items():
            of = [found for word in words if (found := _OF.fullmatch(word))]
            if len(of) == len(words):  # the parts have parts of their own
                n_clear, n_all = (sum(int(one[i]) for one in of) for i in (1, 2))
                lines.append(f"{column}: {n_clear} of {n_all} clear")
                continue
            counts = Counter(words)
            shown = ", ".join(f"{counts[word]} {word}" for word in sorted(counts))
            lines.append(f"{column}: {shown}")
        n, last = len(self), " (see quality)"
        many = {"class": "classes"}.get(self.what, f"{self.what}s")
        text = f"{n} {self.what if n == 1 else many}"
        return "; ".join([text, *lines]) + last

    def table(self) -> list[tuple[str, ...]]:
        """Return the rows of a table, a header first."""
        n = len(self)
        columns = {}
        if self.what != "class":
            columns[self.what] = [str(i) for i in range(n)]
        if self.classes is not None:
            columns["class"] = [str(label) for label in self.classes]
        if self.counts:
            columns["count"] = [f"{count:.0f}" for count in self.counts]
            columns["± noise"] = [f"{self.noise_sd:.3g}"] * n
        columns |= {name: list(words) for name, words in self.words.items()}
        rows = zip(*columns.values(), strict=True)
        return [tuple(columns), *rows]

    def __repr__(self) -> str:
        return f"Quality({self.summary()})"

    def __str__(self) -> str:
        return as_text([], self.table())

    def _repr_html_(self) -> str:
        return as_html([], self.table())


@dataclass(frozen=True, repr=False)
class QualityOfSteps:
    """What came out of each step of a pipeline.

    Attributes
    ----------
    steps : dict of str to Quality
        By the names of the steps, in order.
    """

    steps: dict[str, Quality]

    def summary(self) -> str:
        """Return what is true of each step, in one line."""
        return "; ".join(f"{name}: {one.summary()}" for name, one in self.steps.items())

    def __repr__(self) -> str:
        return f"QualityOfSteps({self.summary()})"

    def __str__(self) -> str:
        return "\n\n".join(f"{name}\n{one}" for name, one in self.steps.items())

    def _repr_html_(self) -> str:
        return "".join(
            as_html([("step", name)], one.table()) for name, one in self.steps.items()
        )
