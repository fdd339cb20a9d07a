"""Writes Constants.v: the numbers of the proof, read from the text of the package.

Nothing is imported, so that this runs without what the package needs. A number that
is changed there is another premise of the proof, which holds or does not.
"""

from __future__ import annotations

import ast
import operator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "skdpgmm"
# Names of modules, and of those constants of theirs that are integers.
INTEGERS = {
    "privacy/grid.py": ("GRID_BITS", "NORM_BITS", "EXACT_BITS"),
    "privacy/bounded_sum.py": ("SUMMAND_BITS", "MAX_BLOCK_ROWS"),
    "privacy/noise.py": ("WORD_BITS", "RESOLUTION_BITS", "_LOW", "MAX_SIGMA"),
    "privacy/records.py": ("MAX_ROWS",),
    "_rows/blocks.py": ("_BLOCKS_OF_A_WORD",),
}
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
}


def constants(package=PACKAGE) -> dict[str, int]:
    """Return the numbers of the proof by their name."""
    found = {}
    for module, names in INTEGERS.items():
        values = _values(_tree(package / module))
        for name in names:
            value = values[name]
            if value != int(value):
                raise ValueError(f"{name} is no integer: {value}")
            found[name.lstrip("_")] = int(value)
    moments = _dict_of(_assigned(_tree(package / "privacy/bounded_sum.py"), "MOMENTS"))
    for name, call in moments.items():
        found[f"degree_{name}"] = int(_value(call.args[0], {}))
    accounting = _tree(package / "privacy/accounting.py")
    for table in ("_SQUARED", "_SQUARED_ACUTE"):
        for name, squared in _dict_of(_assigned(accounting, table)).items():
            key = f"{table.lower().lstrip('_')}_{name.replace('-', '_')}"
            found[key] = int(_value(squared, {}))
    down = _values(accounting)["_ROUND_DOWN"].as_integer_ratio()
    found["ROUND_DOWN_num"], found["ROUND_DOWN_den"] = down
    return found


def text_of(values: dict[str, int]) -> str:
    """Return Constants.v."""
    lines = (f"Definition {name} := {value}." for name, value in values.items())
    head = (
        "(* Written by constants.py: do not change. *)\nFrom Coq Require Import ZArith."
    )
    return "\n".join((head, "Open Scope Z_scope.", *lines, ""))


def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def _value(node, known):
    """Return the value of an expression, with the rounding that it has in Python."""
    match node:
        case ast.Constant(int() | float() as value):
            return value
        case ast.Name(name) if name in known:
            return known[name]
        case ast.BinOp(left, op, right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](_value(left, known), _value(right, known))
        case ast.UnaryOp(op, operand) if type(op) in OPERATORS:
            return OPERATORS[type(op)](_value(operand, known))
    raise ValueError(f"no constant: {ast.unparse(node)}")


def _values(tree):
    """Return the constants of a module that are numbers, but for imported ones."""
    found: dict[str, float] = {}
    for node in tree.body:
        match node:
            case ast.Assign([ast.Name(name)], value):
                try:
                    found[name] = _value(value, found)
                except ValueError:
                    continue
    return found


def _assigned(tree, name):
    for node in tree.body:
        match node:
            case ast.Assign([ast.Name(found)], value) if found == name:
                return value
    raise ValueError(f"{name} is not there")


def _dict_of(node):
    """Return the first dict of literals in a node, by its keys."""
    literal = next(one for one in ast.walk(node) if isinstance(one, ast.Dict))
    return {
        ast.literal_eval(key): value
        for key, value in zip(literal.keys, literal.values, strict=True)
    }


if __name__ == "__main__":
    print(text_of(constants()), end="")
