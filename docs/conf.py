"""Sphinx configuration: no network, no warnings."""

import os
import sys
import warnings
from pathlib import Path
from types import MethodDescriptorType

HERE = Path(__file__).parent
PATHS = [str(HERE.parent), str(HERE), str(HERE.parent / "tests" / "helpers")]
sys.path[:0] = PATHS
# Of the processes that run the examples.
os.environ["PYTHONPATH"] = os.pathsep.join(PATHS)
# One that has grown is replaced by another, which is as it should be.
warnings.filterwarnings("ignore", "A worker stopped while", UserWarning)

from budget_tables import substitutions

from skdpgmm import __version__

project = "skdpgmm"
author = "the skdpgmm developers"
copyright = author
release = version = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    # Formulas must not need a network.
    "sphinx-mathjax-offline",
    "sphinx_design",
    # README, CONTRIBUTING and CHANGELOG are pages too, from the one text.
    "myst_parser",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "benchmark_tables",
    "budget_tables",
]
# |KMEANS.ball| and so on, on every page.
rst_epilog = substitutions()
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    # The others need data, or models, that no build may download.
    "filename_pattern": r"plot_(?!decode_images|fashion_mnist)",
    "ignore_pattern": "_shared",
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "download_all_examples": False,
    "show_memory": False,
    # As many at a time as sphinx has processes.
    "parallel": True,
    "reset_modules": ("matplotlib", "seaborn", "gallery_workers.prepare"),
    # Their tables would be made by scripts from elsewhere.
    "write_computation_times": False,
}
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]

autosummary_generate = True
autodoc_default_options = {"members": True, "inherited-members": True}
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False
# Docstrings use terms of scikit-learn's glossary, which is elsewhere.
suppress_warnings = ["ref.term"]

html_theme = "pydata_sphinx_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["wrap.css"]
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "logo": {"text": project},
}
html_logo = html_favicon = "_static/logo.svg"
# The theme logs an error where nothing is said of it.
html_context = {"default_mode": "auto"}
html_sidebars = {"index": [], "installation": [], "guarantee": []}
html_show_sourcelink = False


def skip_inherited(app, what, name, obj, skip, options):
    """Leave out what scikit-learn and Python document themselves."""
    module = getattr(obj, "__module__", None) or "skdpgmm"
    builtin = isinstance(obj, MethodDescriptorType)
    return skip or builtin or not module.startswith("skdpgmm")


def quote_names(app, what, name, obj, options, lines):
    """Keep a trailing underscore in a type from becoming a hyperlink."""
    lines[:] = [
        line.replace("(n_features_in_,)", "(`n_features_in_`,)") for line in lines
    ]


def setup(app):
    app.connect("autodoc-skip-member", skip_inherited)
    app.connect("autodoc-process-docstring", quote_names, priority=100)
    # It copies files when all is done, and does not say that it is safe.
    app.extensions["sphinx-mathjax-offline"].parallel_read_safe = True
