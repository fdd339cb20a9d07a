"""The report itself: made once, and written as HTML, Markdown or JSON."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from skdpgmm._report.blocks import Page
from skdpgmm._report.card import card as card_of
from skdpgmm._report.card import checked_fields
from skdpgmm._report.data import as_data
from skdpgmm._report.html_page import as_html
from skdpgmm._report.markdown import as_markdown
from skdpgmm._report.pictures import pictures
from skdpgmm._report.sections import promise, sections
from skdpgmm._report.subject import subject_of

_SUFFIXES = (".html", ".md", ".json")


class ReviewReport:
    """What a review board has to know of a fitted model; `report` makes one.

    Parameters
    ----------
    page : Page
        What it says, in order.
    data : dict
        The same as data.

    Attributes
    ----------
    title : str
        Its heading.
    private : bool
        Whether there is a guarantee at all.
    promise : str
        The guarantee in one line, or why there is none.

    See Also
    --------
    report : Make one.

    Notes
    -----
    Privacy: it holds what was released and what is public, and may be published as the
    model may; not so, perhaps, the figures and texts that were given to it.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdpgmm import DPKMeans, report
    >>> found = report(DPKMeans(3, epsilon=2.0).fit(load_iris().data))
    >>> found.private, found.to_dict()["epsilon"]
    (True, 2.0)
    """

    def __init__(self, page: Page, data: dict[str, Any]):
        self.title = page.title
        self.private = not page.alarm
        self.promise = page.promise
        self._page, self._data = page, data

    def to_html(self) -> str:
        """Return one page of HTML that needs no network, no script and no other file.

        Returns
        -------
        page : str
            With styles for a screen, a phone and paper.
        """
        return as_html(self._page)

    def to_markdown(self) -> str:
        """Return the same as Markdown, where tables stand for curves.

        Returns
        -------
        text : str
            Figures that were given are named only.
        """
        return as_markdown(self._page)

    def to_dict(self) -> dict[str, Any]:
        """Return the same as data, which JSON can hold.

        Returns
        -------
        data : dict
            Infinite numbers are texts. ``data["card"]`` has groups and fields of the
            registry of deployments, ``data["card_missing"]`` what is to be told yet.
        """
        return json.loads(self._json())

    def save(self, path) -> None:
        """Write it to a file, in place of one that is there.

        Parameters
        ----------
        path : str or path-like
            Its suffix says what is written: ".html", ".md" or ".json".

        Raises
        ------
        ValueError
            When the suffix is another one.
        """
        path = Path(path)
        writers = (self.to_html, self.to_markdown, self._json)
        for suffix, write in zip(_SUFFIXES, writers, strict=True):
            if path.suffix.lower() == suffix:
                path.write_text(write(), encoding="utf-8")
                return
        raise ValueError(f"path must end with one of {_SUFFIXES}, got {path.name!r}.")

    def _json(self) -> str:
        return json.dumps(self._data, indent=2, ensure_ascii=False, allow_nan=False)

    def __repr__(self) -> str:
        return f"ReviewReport({self.promise}; {self.title!r})"

    def _repr_html_(self) -> str:
        # In a frame of its own, so that its style is not that of the notebook.
        inside = escape(self.to_html())
        return (
            f'<iframe srcdoc="{inside}" sandbox="" title="Privacy report" '
            'style="width:100%;height:40em;border:1px solid #dcdfe3"></iframe>'
        )


def report(
    model, *, title=None, card=None, figures=None, signed_by=None
) -> ReviewReport:
    """Return a report of a fitted private model, for whoever has to approve it.

    It says what was promised, in words and as the best attack there is; what was
    released, and from which looks at the records; what was declared public; what came
    out; and what has to be believed.

    Parameters
    ----------
    model : estimator, str, path-like or PrivacyReport
        A fitted estimator that has ``privacy_``, a wrapper, pipeline or search; a path
        of a file that one has saved, which is verified; or ``privacy_`` alone.
    title : str, default=None
        Heading. None is the name of the estimator.
    card : dict of str to str, default=None
        Fields of the card for a registry of deployments that no fit can know, such as
        "name", "intended_use" and "publication_date"; "data_curators" and
        "registry_authors" are lists. A field that is not one is refused, with all that
        are.
    figures : dict of str to path, or sequence of path, default=None
        Files of the format PNG or JPEG, by their captions. They must show the model or
        what was drawn from it, and no record: nobody checks that.
    signed_by : Ed25519PublicKey of `cryptography`, default=None
        Key by which the file is to be signed, as of `verify`.

    Returns
    -------
    report : ReviewReport
        With the methods `to_html`, `to_markdown`, `to_dict` and `save`.

    Raises
    ------
    TypeError
        When `model` has no ``privacy_``, or an argument is of a wrong type.
    ValueError
        When `model` is not fitted, its file is damaged, or another argument is not
        legal.

    See Also
    --------
    verify : What a file proves.
    skdpgmm.privacy.compose : What several fits amount to.

    Notes
    -----
    Privacy: no record is read, and nothing is spent. Numbers are public or released.
    Where epsilon is infinite, or the noise follows from a seed, the heading says NOT
    PRIVATE.

    References
    ----------
    .. [1] J. Dong, A. Roth, W. J. Su, "Gaussian Differential Privacy", Journal of the
       Royal Statistical Society B 84(1), 2022.
    .. [2] P. Nanayakkara, E. Ghazi, S. Vadhan, "Practitioners' Perspectives on a
       Differential Privacy Deployment Registry", 2025, arXiv:2509.13509.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from sklearn.datasets import load_digits
    >>> from skdpgmm import DPEmbeddingSynthesizer, report
    >>> X, y = load_digits(return_X_y=True)
    >>> synthesizer = DPEmbeddingSynthesizer(epsilon=2.0, label_model=False).fit(X, y)
    >>> found = report(synthesizer, title="Handwritten digits")
    >>> found
    ReviewReport((2, 1e-05)-differentially private; 'Handwritten digits')
    >>> with TemporaryDirectory() as folder:
    ...     found.save(Path(folder) / "report.html")
    """
    if title is not None and not isinstance(title, str):
        raise TypeError(f"title must be a str or None, got {type(title).__name__}.")
    fields, shown = checked_fields(card), pictures(figures)
    subject = subject_of(model, signed_by)
    privacy = subject.privacy
    made = card_of(privacy, subject.made_by.get("skdpgmm", ""), fields)
    title = title or f"Privacy report of a fitted {subject.name}"
    alarm = privacy.not_private is not None
    page = Page(title, promise(privacy), alarm, sections(subject, made, shown))
    return ReviewReport(page, as_data(title, subject, made, shown))
