"""Figures are images, and stand in the page itself."""

import base64
import re

import numpy as np
import pytest
from PIL import Image

from skdpgmm import report


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "draws of digits.png"
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(path)
    return path


def test_an_image_is_in_the_page(fitted, image):
    page = report(fitted, figures={"All <b>black</b>": image}).to_html()
    (found,) = re.findall(r'src="data:image/png;base64,([^"]*)"', page)
    assert base64.b64decode(found) == image.read_bytes()
    assert "All &lt;b&gt;black&lt;/b&gt;" in page
    for given in ([image], image, str(image)):
        made = report(fitted, figures=given)
        assert "<figcaption>draws of digits</figcaption>" in made.to_html()
        assert made.to_dict()["figures"] == ["draws of digits"]


def test_what_is_no_image_is_refused(fitted, tmp_path):
    path = tmp_path / "drawing.png"
    path.write_text("<svg onload='alert(1)'></svg>")
    with pytest.raises(ValueError, match=r"PNG or JPEG .* got 'drawing\.png'"):
        report(fitted, figures=[path])
    with pytest.raises(TypeError, match=r"figures must be a dict .* got int"):
        report(fitted, figures=3)
    with pytest.raises(FileNotFoundError):
        report(fitted, figures=[tmp_path / "nowhere.png"])
