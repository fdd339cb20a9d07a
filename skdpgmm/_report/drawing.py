"""Curves as SVG: no script, no font, nothing that is elsewhere."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import NamedTuple

_WIDTH, _HEIGHT = 420, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 26, 12, 46

Points = Sequence[tuple[float, float]]


class Axis(NamedTuple):
    """Where numbers lie along an axis.

    Attributes
    ----------
    label : str
    low, high : float
        Its ends.
    ticks : sequence of (float, str)
    logarithmic : bool
    """

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return where a number lies, 0 at the low end and 1 at the high one."""
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return (value - low) / (high - low)


def drawing(
    title: str, x: Axis, y: Axis, curve: Points, beside: Points = (), name: str = ""
) -> str:
    """Return a curve as SVG, and a dashed line with a name beside it.

    Parameters
    ----------
    title : str
        For those who cannot see it.
    x, y : Axis
    curve, beside : sequence of (float, float)
    name : str
        That of the dashed line.
    """

    def at(point):
        px, py = x.place(point[0]), y.place(point[1])
        across, down = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return f"{_LEFT + px * across:.1f}", f"{_TOP + (1.0 - py) * down:.1f}"

    def path(points):
        return " ".join(",".join(at(point)) for point in points)

    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12">',
        f"<title>{html.escape(title)}</title>",
    ]
    for value, text in x.ticks:
        px, low = at((value, y.low))
        _, high = at((value, y.high))
        parts.append(f'<path d="M{px} {low}V{high}" stroke="#dcdfe3"/>')
        parts.append(_text(px, float(low) + 17, text, "middle"))
    for value, text in y.ticks:
        left, py = at((x.low, value))
        right, _ = at((x.high, value))
        parts.append(f'<path d="M{left} {py}H{right}" stroke="#dcdfe3"/>')
        parts.append(_text(_LEFT - 7, float(py) + 4, text, "end"))
    if beside:
        parts.append(
            f'<polyline points="{path(beside)}" fill="none" stroke="#6b7280" '
            'stroke-dasharray="5 4"/>'
        )
        parts.append(_text(_WIDTH - _RIGHT - 10, _HEIGHT - _BOTTOM - 10, name, "end"))
    parts.append(
        f'<polyline points="{path(curve)}" fill="none" stroke="#0b5cad" '
        'stroke-width="2.5" stroke-linejoin="round"/>'
    )
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 8, x.label, "middle"))
    turned = f' transform="rotate(-90 14 {middle:.0f})"'
    parts.append(_text(14, middle, y.label, "middle", turned))
    return "".join([*parts, "</svg>"])


def _text(x, y, text, anchor, more=""):
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="#1f2430"{more}>'
        f"{html.escape(text)}</text>"
    )


def round_axis(label: str, largest: float) -> Axis:
    """Return an axis from 0 to a round number that is not below the largest."""
    step = 10.0 ** math.floor(math.log10(largest / 2.0))
    step *= next(m for m in (1.0, 2.0, 5.0, 10.0) if largest <= 5.0 * m * step)
    n = math.ceil(largest / step)
    ticks = tuple((i * step, f"{i * step:.4g}") for i in range(n + 1))
    return Axis(label, 0.0, n * step, ticks)
