"""Sphinx extension: the shares of `skdpgmm._algorithms.budget` as tables and numbers.

``.. budget-tables::`` prints every table of shares in that file, with the comment above
it, and what its functions say of shares that are computed. ``|TABLE.share|`` is one
share in percent, wherever a page needs it.
"""

import ast
import inspect
import itertools
import re

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from skdpgmm._algorithms import budget

SOURCE = inspect.getsource(budget)
LINES = SOURCE.splitlines()
RULE = "# ----"


def percent(share):
    return f"{100.0 * share:.3g} %"


def comment_above(line):
    """Return the comment above a line, or above those that follow it without a gap."""
    start = line
    while (above := LINES[start - 2].strip()) and not above.startswith("#"):
        start -= 1
    found = []
    while LINES[start - 2].lstrip().startswith("#"):
        start -= 1
        if LINES[start - 1].startswith(RULE):
            break
        found.insert(0, LINES[start - 1].lstrip("# "))
    return " ".join(found)


def tables():
    """Yield the line, name, shares and reason of each table, inner ones too."""
    for node in ast.parse(SOURCE).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Dict):
            continue
        name = node.targets[0].id
        value, reason = getattr(budget, name), comment_above(node.lineno)
        if not isinstance(next(iter(value.values())), dict):
            yield node.lineno, name, value, reason
            continue
        for key in node.value.keys:
            inner = f"{name}.{key.value}"
            said = f"{reason} {comment_above(key.lineno)}"
            yield key.lineno, inner, value[key.value], said


def functions():
    """Yield the line, name and docstring of each function that computes shares."""
    for node in ast.parse(SOURCE).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.lineno, node.name, ast.get_docstring(node)


def headings():
    """Yield the line and title of each part of the file."""
    for i, line in enumerate(LINES[1:-1], start=1):
        if LINES[i - 1].startswith(RULE) and LINES[i + 1].startswith(RULE):
            yield i + 1, line.lstrip("# ")


def literal(text):
    """Quote names as Sphinx wants it."""
    return re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", text)


def rows():
    """Yield the line and the row of each table."""
    for line, name, shares, reason in tables():
        listed = ", ".join(f"{key} {percent(share)}" for key, share in shares.items())
        row = [f"   * - ``{name}``", f"     - {listed}", f"     - {literal(reason)}"]
        yield line, row


def page():
    """Return the tables as lines of reStructuredText, in the order of the file."""
    starts = [*headings(), (len(LINES), None)]
    lines = []
    for (start, title), (end, _) in itertools.pairwise(starts):
        here = [row for line, row in rows() if start < line < end]
        said = [(name, text) for line, name, text in functions() if start < line < end]
        if not here and not said:
            continue
        lines += [title, "-" * len(title), ""]
        if here:
            lines += [".. list-table::", "   :widths: 25 30 45", ""]
            lines += [*itertools.chain.from_iterable(here), ""]
        for name, text in said:
            lines += [f"``{name}``", *indented(literal(text)), ""]
    return lines


def indented(text):
    return [f"    {line}".rstrip() for line in text.splitlines()]


def substitutions():
    """Return the definition of ``|TABLE.share|`` for every share."""
    return "\n".join(
        f".. |{name}.{key}| replace:: {percent(share)}"
        for _, name, shares, _ in tables()
        for key, share in shares.items()
    )


class BudgetTables(Directive):
    def run(self):
        self.state.document.settings.env.note_dependency(budget.__file__)
        content = StringList(page(), source=budget.__file__)
        container = nodes.section()
        container.document = self.state.document
        self.state.nested_parse(content, 0, container, match_titles=True)
        return container.children


def setup(app):
    app.add_directive("budget-tables", BudgetTables)
    return {"parallel_read_safe": True}
