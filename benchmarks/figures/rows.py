"""Figure of `rows`: what rows teach, and how much they are like the records."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

# Of the palette of Okabe and Ito, which the colour-blind can tell apart: colour, line,
# and name in the legend.
PRIVATE = {
    "ours": ("#0072b2", "-", "skdpgmm, by default"),
    "ours, plain": ("#56b4e9", "-", "skdpgmm, label_model=False"),
    "mean embeddings": ("#cc79a7", "--", "mean embeddings and a generator (DP-MERF)"),
    "DP-EM": ("#d55e00", "--", "DP-EM, a mixture a class"),
    "prototypes": ("#e69f00", "--", "private class means and noise"),
}
NOT_PRIVATE = {
    "real rows": ("black", "-", "the records themselves, not private"),
    "a mixture a class": ("#555555", "-.", "a mixture a class, not private"),
    "one Gaussian a class": ("#999999", ":", "one Gaussian a class, not private"),
}
PANELS = {
    ("network", "accuracy"): "Right answers of a\nneural network",
    ("forest", "accuracy"): "Right answers of a\nrandom forest",
    ("neighbours", "accuracy"): "Right answers of\n10 nearest neighbours",
    ("logistic", "log loss"): "Log loss of a\nlogistic regression",
    ("likeness", "frechet"): "Distance to real rows\n(Frechet)",
    (
        "likeness",
        "coverage",
    ): "Share of real rows that have\na synthetic one near (coverage)",
}
FALLING = {("logistic", "log loss"), ("likeness", "frechet")}
# A peer far under the others would press them together.
WORST_SHOWN = 0.45


def draw(results, columns_of, output, panels=tuple(PANELS)):
    """Draw a row of panels for each data set and save the picture.

    Parameters
    ----------
    results : dict
        By data set, method, epsilon as text, and seed.
    columns_of : callable
        From the results of all seeds to mean and spread by name of the score.
    output : path-like
        Where to save the picture.
    panels : sequence of keys of `PANELS`
        What to draw, from left to right.
    """
    fig, axes = plt.subplots(
        len(results),
        len(panels),
        figsize=(3.1 * len(panels), 2.6 * len(results) + 1.6),
        squeeze=False,
        layout="constrained",
    )
    for row, (name, entry) in zip(axes, results.items(), strict=True):
        found = {
            method: {float(epsilon): columns_of(seeds) for epsilon, seeds in by.items()}
            for method, by in entry.items()
            if method != "settings"
        }
        for ax, panel in zip(row, panels, strict=True):
            _draw_panel(ax, panel, found)
        row[0].set_ylabel(name, fontsize="large", fontweight="bold")
    for ax, panel in zip(axes[0], panels, strict=True):
        better = (
            "lower is better \u2193" if panel in FALLING else "higher is better \u2191"
        )
        ax.set_title(f"{PANELS[panel]}\n{better}", fontsize="medium")
    fig.supxlabel(
        "epsilon: to the left more privacy, to the right more exact rows; "
        "\u221e is without noise.\nLines: mean over repetitions, bars: their spread"
    )
    handles = {}
    for ax in axes.flat:
        handles |= dict(zip(*ax.get_legend_handles_labels()[::-1], strict=True))
    fig.legend(
        handles.values(),
        handles,
        loc="outside upper center",
        ncols=2 * len(panels) // 3,
        frameon=False,
        title="What was learned from, tested on real rows",
    )
    fig.savefig(output, dpi=150)
    plt.close(fig)


def _draw_panel(ax, panel, found):
    epsilons = sorted({e for method in PRIVATE for e in found.get(method, ())})
    places = {epsilon: place for place, epsilon in enumerate(epsilons)}
    for method, (color, line, label) in NOT_PRIVATE.items():
        for columns in found.get(method, {}).values():
            ax.axhline(columns[panel][0], color=color, ls=line, lw=1.2, label=label)
    for method, (color, line, label) in PRIVATE.items():
        points = sorted(found.get(method, {}).items())
        if not points:
            continue
        values, spreads = zip(*(columns[panel] for _, columns in points), strict=True)
        ours = method.startswith("ours")
        ax.errorbar(
            [places[epsilon] for epsilon, _ in points],
            values,
            spreads,
            color=color,
            ls=line,
            lw=2.2 if ours else 1.3,
            marker="o" if ours else "s",
            ms=5 if ours else 3.5,
            capsize=2,
            zorder=3 if ours else 2,
            label=label,
        )
    if panel == ("likeness", "frechet"):
        ax.set_yscale("log")
    elif panel[1] == "accuracy":
        low, high = ax.get_ylim()
        real = max(
            columns[panel][0] for by in found.values() for columns in by.values()
        )
        ax.set_ylim(max(low, real - WORST_SHOWN), min(high, 1.0))
    ax.set_xticks(
        list(places.values()), ["\u221e" if np.isinf(e) else f"{e:g}" for e in places]
    )
    ax.grid(axis="y", color="#e4e4e4", lw=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
