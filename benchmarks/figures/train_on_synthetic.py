"""Figure and summary of `train_on_synthetic`: accuracy against epsilon."""

import matplotlib
import numpy as np

matplotlib.use("Agg")

import matplotlib.pyplot as plt

OURS = ("network", "DPLogisticRegression", "DPLogisticRegression, 512 features")
# Others that were trained on ours, and the plain method: shown, not compared.
ASIDE = ("logistic", "forest", "network (plain)")
# Of the palette of Okabe and Ito, which the colour-blind can tell apart.
COLORS = (
    "#0072b2",
    "#009e73",
    "#d55e00",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#999999",
    "#f0e442",
)


def compared_sets(results):
    """Yield name and entry of the data sets on which methods were compared."""
    for name, entry in results.items():
        if "by_epsilon" in entry:
            yield name, entry


def differences(results):
    """Yield data set, epsilon, our method, and its lead over the best peer."""
    for name, entry in compared_sets(results):
        for epsilon, methods in entry["by_epsilon"].items():
            means = {m: float(np.mean(v["accuracy"])) for m, v in methods.items()}
            peers = {m: v for m, v in means.items() if m not in OURS + ASIDE}
            if peers:
                best = max(peers, key=peers.get)
                for ours in (m for m in OURS if m in means):
                    yield name, epsilon, ours, means[ours] - peers[best], best


def summary(results):
    """Print the lead over the best peer of each row, and its mean over the table."""
    rows = list(differences(results))
    if not rows:
        return
    print("\nLead over the best peer, in points:")
    for name, epsilon, ours, lead, best in rows:
        print(f"{name:>26}  {epsilon:>4}  {ours:>20}  {100 * lead:+.2f}  ({best})")
    for ours in OURS:
        leads = {
            when: [100 * r[3] for r in rows if r[2] == ours and kept(float(r[1]))]
            for when, kept in (
                ("epsilon >= 0.5", lambda e: e >= 0.5),
                ("epsilon 0.1", lambda e: e == 0.1),
            )
        }
        for when, values in leads.items():
            if values:
                print(
                    f"{ours}, {when}: {np.mean(values):+.2f} in the mean, "
                    f"{min(values):+.2f} at the least, {len(values)} rows"
                )


def draw(results, output):
    """Draw one panel for each data set and save the picture."""
    panels = list(compared_sets(results))
    if not panels:
        return
    n_columns = min(3, len(panels))
    n_rows = -(-len(panels) // n_columns)
    fig, axes = plt.subplots(
        n_rows, n_columns, figsize=(5.2 * n_columns, 4.4 * n_rows), squeeze=False
    )
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax, (name, entry) in zip(axes.flat, panels, strict=False):
        _draw_panel(ax, name, entry)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="lower center", ncols=4, frameon=False)
    fig.tight_layout(rect=(0, 0.06 + 0.04 / n_rows, 1, 1))
    fig.savefig(output, dpi=150)
    plt.close(fig)


def _draw_panel(ax, name, entry):
    methods = []
    for found in entry["by_epsilon"].values():
        methods += [m for m in found if m not in methods]
    others = [m for m in methods if m not in OURS + ASIDE]
    for method, color in zip([*OURS, *others], COLORS, strict=False):
        points = sorted(
            (float(epsilon), found[method]["accuracy"])
            for epsilon, found in entry["by_epsilon"].items()
            if method in found
        )
        ours = method in OURS
        ax.errorbar(
            [epsilon for epsilon, _ in points],
            [np.mean(values) for _, values in points],
            [np.std(values) for _, values in points],
            color=color,
            marker="o" if ours else "s",
            ms=5 if ours else 3.5,
            lw=2.2 if ours else 1.0,
            ls="-" if ours else "--",
            label={"network": "network on our synthetic rows"}.get(method, method),
        )
    ax.axhline(
        np.mean(entry["real"]), color="black", lw=0.8, label="network, real rows"
    )
    ax.set(xscale="log", xlabel="epsilon", ylabel="accuracy on real test rows")
    ticks = sorted(map(float, entry["by_epsilon"]))
    ax.set_xticks(ticks, [f"{epsilon:g}" for epsilon in ticks])
    ax.minorticks_off()
    ax.set_title(name)
