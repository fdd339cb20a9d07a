"""Figure of `recovery`: errors by n and by epsilon, recovery by separation."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

# Of the palette of Okabe and Ito, which the colour-blind can tell apart.
COLORS = {None: "black", 0.5: "#d55e00", 1.0: "#0072b2", 8.0: "#009e73"}
MARKERS = {"weights": "s", "means": "o", "covariances": "^"}


def draw(panels, output):
    """Draw one row of three panels for each number of features.

    Parameters
    ----------
    panels : list of dict
        For each row: `d`, `by_size`, `by_epsilon`, `by_separation`, and `references`;
        see `benchmarks.recovery.panels_of`.
    output : path-like
        Where to save the picture.
    """
    fig, axes = plt.subplots(
        len(panels), 3, figsize=(15, 4.6 * len(panels)), squeeze=False
    )
    for row, panel in zip(axes, panels, strict=True):
        _draw_sizes(row[0], panel)
        _draw_epsilons(row[1], panel)
        _draw_separations(row[2], panel)
    fig.tight_layout()
    fig.savefig(output, dpi=150)
    plt.close(fig)


def _label(epsilon):
    return "scikit-learn" if epsilon is None else f"epsilon {epsilon:g}"


def _draw_sizes(ax, panel):
    for (epsilon, error), (sizes, quartiles) in panel["by_size"].items():
        main = error == "means"
        low, middle, high = quartiles
        ax.plot(
            sizes,
            middle,
            color=COLORS[epsilon],
            marker=MARKERS[error],
            lw=2.2 if main else 0.9,
            ms=5 if main else 3.5,
            alpha=1.0 if main else 0.6,
            label=f"{error}, {_label(epsilon)}",
        )
        if main:
            ax.fill_between(sizes, low, high, color=COLORS[epsilon], alpha=0.15)
    x = np.array(sizes, dtype=float)
    sampling, privacy = panel["references"]["by_size"](x)
    ax.plot(x, sampling, "--", color="0.4", label=r"$\propto 1/\sqrt{n}$")
    ax.plot(x, privacy, ":", color="0.4", lw=2, label=r"$\propto d/(n\,\epsilon)$")
    ax.set(xscale="log", yscale="log", xlabel="records n", ylabel="error")
    ax.set_title(f"d = {panel['d']}: errors by n, {panel['settings']['by_size']}")
    ax.legend(fontsize=7.5, ncols=2)


def _draw_epsilons(ax, panel):
    epsilons, (low, middle, high), level = panel["by_epsilon"]
    color = COLORS[1.0]
    ax.plot(epsilons, middle, color=color, marker="o", lw=2.2, label="means, private")
    ax.fill_between(epsilons, low, high, color=color, alpha=0.15)
    ax.axhline(level, color="black", label="means, scikit-learn")
    x = np.array(epsilons)
    privacy = panel["references"]["by_epsilon"](x)
    ax.plot(x, privacy, ":", color="0.4", lw=2, label=r"$\propto d/(n\,\epsilon)$")
    ax.set(xscale="log", yscale="log", xlabel="epsilon", ylabel="error of the means")
    ax.set_xticks(epsilons, [f"{e:g}" for e in epsilons])
    ax.minorticks_off()
    ax.set_title(
        f"d = {panel['d']}: error by epsilon, {panel['settings']['by_epsilon']}"
    )
    ax.legend(fontsize=8)


def _draw_separations(ax, panel):
    for epsilon, (separations, fractions, onset) in panel["by_separation"].items():
        label = _label(epsilon)
        if onset is not None:
            label += f": from {onset:g}"
        ax.plot(
            separations, fractions, color=COLORS[epsilon], marker="o", ms=4, label=label
        )
    ax.axhline(0.5, color="0.7", lw=0.8, zorder=0)
    ax.set(
        xlabel="separation, in standard deviations",
        ylabel="fraction of runs that recover all means",
        ylim=(-0.04, 1.04),
    )
    ax.set_title(f"d = {panel['d']}: recovery, {panel['settings']['by_separation']}")
    ax.legend(fontsize=8, title="half of the runs recover", title_fontsize=8)
