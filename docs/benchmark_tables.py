"""Sphinx extension: kept results of benchmarks as tables.

``.. benchmark-tables:: rows`` prints what `benchmarks/results/rows.json` holds, after
the command, the day and the machine; or which command makes such a file. Of
``beside-others`` it is one table of all files. The figure of `rows` is drawn anew by
every build.
"""

import json
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from benchmarks.common.command import restored
from benchmarks.figures.rows import draw
from benchmarks.keep import KEPT
from benchmarks.rows import columns_of
from benchmarks.tables import TABLES, beside_others, section

FIGURE = "auto_benchmarks/rows.png"
# As many as can be read in the width of a page.
PANELS = (("network", "accuracy"), ("neighbours", "accuracy"), ("logistic", "log loss"))


def draw_rows(app):
    kept = KEPT / "rows.json"
    if kept.exists():
        path = Path(app.srcdir) / FIGURE
        path.parent.mkdir(exist_ok=True)
        results = restored(json.loads(kept.read_text()))["results"]
        draw(results, columns_of, path, PANELS)


class BenchmarkTables(Directive):
    required_arguments = 1

    def run(self):
        (name,) = self.arguments
        everything = name == "beside-others"
        for file in TABLES if everything else [name]:
            path = str(KEPT / f"{file}.json")
            self.state.document.settings.env.note_dependency(path)
        container = nodes.section()
        container.document = self.state.document
        lines = beside_others() if everything else section(name)
        content = StringList(lines, source=path)
        self.state.nested_parse(content, 0, container, match_titles=True)
        return container.children


def setup(app):
    app.connect("builder-inited", draw_rows)
    app.add_directive("benchmark-tables", BenchmarkTables)
    return {"parallel_read_safe": True}
