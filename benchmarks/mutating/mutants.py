"""The mutants of a module: its text with one small fault in it.

mutmut changes nothing outside of functions, where the constants are that bounds rest
on, and cosmic-ray starts a process, and imports all, for each mutant.
"""

import ast
import copy
from collections import Counter
from typing import NamedTuple

OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
# Of the name of a mutant.
LINE = 90
# Texts of messages and annotations do nothing.
SKIPPED = ("annotation", "returns", "exc", "decorator_list")


class Mutant(NamedTuple):
    """One fault: its name, which no line above it changes, and the text with it."""

    name: str
    source: str


def mutants(source: str) -> list[Mutant]:
    """Return all mutants of a text, in its order."""
    tree = ast.parse(source)
    found, names = [], Counter()
    for path, where in _places(tree):
        node = _at(tree, path)
        for replacement in _replacements(node):
            if ast.dump(replacement) == ast.dump(node):
                continue  # arguments that are equal, swapped
            before = _text(tree, path)
            mutated = copy.deepcopy(tree)
            _put(mutated, path, replacement)
            after = _text(mutated, path)
            name = f"{where}: {before}  ->  {after}"
            names[name] += 1
            if names[name] > 1:
                name += f"  ({names[name]})"
            found.append(Mutant(name, ast.unparse(ast.fix_missing_locations(mutated))))
    return found


def _places(node, path=(), where="module"):
    """Yield the path to each node that does something, and the function it is in."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        where = node.name if where == "module" else f"{where}.{node.name}"
    yield path, where
    for field, value in ast.iter_fields(node):
        if field in SKIPPED or isinstance(node, ast.JoinedStr):
            continue
        if isinstance(value, list):
            for i, one in enumerate(value):
                if isinstance(one, ast.AST):
                    yield from _places(one, (*path, (field, i)), where)
        elif isinstance(value, ast.AST):
            yield from _places(value, (*path, (field, None)), where)


def _at(tree, path):
    for field, i in path:
        tree = getattr(tree, field) if i is None else getattr(tree, field)[i]
    return tree


def _put(tree, path, replacement):
    *before, (field, i) = path
    parent = _at(tree, before)
    if i is None:
        setattr(parent, field, replacement)
    else:
        getattr(parent, field)[i] = replacement


def _text(tree, path):
    """Return the longest of what is around a node that fits on a line."""
    for n in range(1, len(path) + 1):
        node = _at(tree, path[:n])
        if isinstance(node, ast.expr | ast.stmt):
            text = ast.unparse(node)
            if "\n" not in text and len(text) <= LINE:
                return text
    return ast.unparse(_at(tree, path)).splitlines()[0][:LINE]


def _replacements(node):
    """Yield what may stand in place of a node."""
    match node:
        case ast.BinOp(left, op, right) if type(op) in OPERATORS:
            yield ast.BinOp(left, OPERATORS[type(op)](), right)
        case ast.AugAssign(target, op, value):
            if type(op) in OPERATORS:
                yield ast.AugAssign(target, OPERATORS[type(op)](), value)
            yield ast.Pass()
        case ast.Compare(left, [op, *ops], rest) if type(op) in COMPARISONS:
            for i, one in enumerate(all_ops := [op, *ops]):
                changed = [*all_ops]
                changed[i] = COMPARISONS[type(one)]()
                yield ast.Compare(left, changed, rest)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.Not() | ast.Invert() | ast.USub(), operand):
            yield operand
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            # One more than a tolerance is no small fault.
            near = (value + 1, value - 1) if value == 0 or abs(value) > 1e-2 else ()
            for other in dict.fromkeys((*near, 2 * value)):
                if other != value:
                    yield ast.Constant(other)
        case ast.Raise() | ast.Expr(ast.Call()):
            yield ast.Pass()
        case ast.Return(value) if value is not None:
            yield ast.Return(ast.Constant(None))
        case ast.Call(func, [first, second, *rest], keywords):
            yield ast.Call(func, [second, first, *rest], keywords)
