"""What a report says, in order."""

from __future__ import annotations

import math

from skdpgmm._estimators.verification import believed
from skdpgmm._report.blocks import Block, Drawing, Facts, Picture, Section, Table, Text
from skdpgmm._report.card import Card
from skdpgmm._report.curves import (
    DELTAS,
    FALSE_ALARMS,
    digits_up,
    epsilon_curve,
    largest_gain,
    percent_up,
    power_curve,
)
from skdpgmm._report.drawing import Axis, drawing, round_axis
from skdpgmm._report.subject import DRAWN, OF_ROWS, Subject, methods, released
from skdpgmm.privacy import (
    PrivacyReport,
    Quality,
    QualityOfSteps,
    attack_power,
    epsilon_from_mu,
)
from skdpgmm.privacy.tables import repeated

# More parts than anybody reads; all are in the data.
_MOST_PARTS = 60


def sections(
    subject: Subject, card: Card, pictures: tuple[Picture, ...]
) -> tuple[Section, ...]:
    """Return all sections of a report."""
    privacy = subject.privacy
    found = [
        Section("In plain words", _plain(privacy)),
        Section("What an attacker can do", _attack(privacy)),
        Section("What epsilon is at another delta", _epsilons(privacy)),
        Section("What was released", _released(subject)),
        Section("What was declared public", _public(privacy)),
        Section("What was decided on the way", _decided(privacy)),
        Section("What stands out of the noise", _quality(privacy)),
        Section("Figures", _figures(pictures)),
        Section("Ledger", _ledger(privacy)),
        Section("What has to be believed", _believed(subject)),
        Section("Verification of the file", _verified(subject)),
        Section("Deployment card", _card(card)),
        Section("Versions", (Facts(tuple(subject.made_by.items())),)),
    ]
    return tuple(section for section in found if section.blocks)


def told(subject: Subject, titles) -> tuple[Section, ...]:
    """Return some of the sections, by their titles."""
    found = {one.title: one for one in sections(subject, Card({}, ()), ())}
    return tuple(found[title] for title in titles if title in found)


def promise(privacy: PrivacyReport) -> str:
    """Return the guarantee in one line, or why there is none."""
    if privacy.not_private:
        return privacy.not_private
    return f"({privacy.epsilon:g}, {privacy.delta:g})-differentially private"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _plain(privacy: PrivacyReport) -> tuple[Block, ...]:
    neighbours = {
        "add-remove": "whether any one unit is in the data, and so how many there are",
        "replace-one": "what the data of any one unit are, but not how many there are",
    }
    lines = [
        ("protected", privacy.unit),
        ("hidden", neighbours[privacy.adjacency]),
        ("from whom", "anybody who has the result, whatever else they know"),
        ("noise", privacy.noise),
    ]
    meaning = Text(_sentence(privacy.meaning))
    if privacy.not_private:
        return (meaning, Facts((("records", privacy.unit), *lines[3:])))
    spent = f"epsilon={privacy.spent_epsilon:.5g}, mu={privacy.spent_mu:.5g}"
    lines[3:3] = [
        (
            f"epsilon {privacy.epsilon:g}",
            "one unit changes the chance of any outcome by a factor of at most "
            f"{_factor(privacy.epsilon)}, and by delta",
        ),
        (
            f"delta {privacy.delta:g}",
            "what is added to that: to be far below one over the number of units",
        ),
        (f"mu {privacy.mu:.5g}", "the same guarantee in one number, as of a Gaussian"),
        ("spent", f"{spent}, in {len(privacy.ledger)} rows of the ledger"),
    ]
    if privacy.n_fits > 1:
        lines.append(("fits", f"{privacy.n_fits}, of which one went on from another"))
    return (meaning, Facts(tuple(lines)))


def _factor(epsilon: float) -> str:
    return digits_up(math.exp(epsilon), 3) if epsilon < 700.0 else "more than 1e304"


def _attack(privacy: PrivacyReport) -> tuple[Block, ...]:
    if privacy.not_private:
        return (Text("Find anybody: nothing below limits what can be learned."),)
    mu = privacy.mu
    asked = (
        "whether somebody is in the data"
        if privacy.adjacency == "add-remove"
        else "which of two versions of somebody is in the data"
    )
    gain = percent_up(largest_gain(mu)).removesuffix(" %")
    text = (
        f"The attacker has the result, knows all other records and asks {asked}. No "
        "attack, however clever, is right more often than the curve says. It beats "
        f"guessing by at most {gain} percentage points. That is exact for Gaussian "
        "noise, and numbers are rounded up."
    )
    rows = [("false alarms", "found at most", "by guessing")]
    for alarms in FALSE_ALARMS:
        share = f"{100.0 * alarms:g} %"
        rows.append((share, percent_up(attack_power(mu, alarms)), share))
    ticks = tuple((i / 4, f"{25 * i} %") for i in range(5))
    svg = drawing(
        "Share of those in the data who are found, against false alarms",
        Axis("false alarms", 0.0, 1.0, ticks),
        Axis("found", 0.0, 1.0, ticks),
        power_curve(mu),
        ((0.0, 0.0), (1.0, 1.0)),
        "dashed: guessing",
    )
    return (
        Text(text),
        Drawing(svg, "The best attack there is, against guessing."),
        Table(tuple(rows), (0, 1, 2)),
    )


def _epsilons(privacy: PrivacyReport) -> tuple[Block, ...]:
    if privacy.not_private:
        return ()
    curve = epsilon_curve(privacy.mu)
    ticks = tuple((delta, f"{delta:.0e}".replace("e-0", "e-")) for delta in DELTAS[::2])
    low, high = DELTAS[-1], DELTAS[0]
    largest = max(epsilon for _, epsilon in curve) or 1.0
    svg = drawing(
        "Epsilon against delta",
        Axis("delta", low, high, ticks, True),
        round_axis("epsilon", largest),
        curve,
    )
    rows = [("delta", "epsilon")]
    rows += [(f"{d:g}", digits_up(epsilon_from_mu(privacy.mu, d))) for d in DELTAS]
    return (
        Text(
            "Epsilon and delta are two readings of one guarantee: a smaller delta goes "
            "with a larger epsilon. All of these hold at once."
        ),
        Drawing(svg, "Pairs of epsilon and delta that hold."),
        Table(tuple(rows), (0, 1)),
    )


def _released(subject: Subject) -> tuple[Block, ...]:
    fitted = subject.fitted
    if fitted is None:
        return ()
    drawn, of_rows = methods(fitted, DRAWN), methods(fitted, OF_ROWS)
    blocks: list[Block] = [
        Text(
            "All of it is a function of the releases in the ledger and of what is "
            "public. Whatever is made of it later costs nothing more."
        ),
        Table((("attribute", "shape", "kind"), *released(fitted))),
    ]
    facts = []
    if drawn:
        facts.append(("released too", f"results of {', '.join(drawn)}"))
    if of_rows:
        facts.append(
            (
                "not covered",
                f"answers of {', '.join(of_rows)}: as private as the rows that they "
                "are asked about",
            )
        )
    if facts:
        blocks.append(Facts(tuple(facts)))
    return tuple(blocks)


def _public(privacy: PrivacyReport) -> tuple[Block, ...]:
    if not privacy.declared_public:
        return (Text("Nothing beside the parameters of the fit."),)
    return (
        Text(
            "Whoever fitted the model says so, and nothing was paid for it. The "
            "guarantee does not cover it."
        ),
        Facts(privacy.declared_public),
    )


def _decided(privacy: PrivacyReport) -> tuple[Block, ...]:
    if not privacy.decisions:
        return ()
    rows = [("what", "chosen", "because of")]
    for one in privacy.decisions:
        because = ", ".join(f"{name}={_short(x)}" for name, x in one.because.items())
        rows.append((one.what, _short(one.value), because))
    text = "Each follows from public numbers and earlier releases, and costs nothing."
    return (Text(text), Table(tuple(rows)))


def _short(value) -> str:
    return f"{value:.5g}" if isinstance(value, float) else str(value)


def _quality(privacy: PrivacyReport) -> tuple[Block, ...]:
    quality = privacy.quality
    if quality is None:
        return ()
    steps = quality.steps if isinstance(quality, QualityOfSteps) else {"": quality}
    blocks: list[Block] = [
        Text(
            "Clear: noise is at most a third of what was released. Weak: more than "
            "noise, and much of it is noise. Noise: it may be nothing else. All "
            "numbers were released."
        )
    ]
    for name, one in steps.items():
        if name:
            blocks.append(Text(f"Step {name}:"))
        blocks += _table_of(one)
    return tuple(blocks)


def _table_of(quality: Quality) -> list[Block]:
    rows = quality.table()
    header, body = rows[0], rows[1:]
    numbers = [i for i, name in enumerate(header) if name in ("count", "± noise")]
    shown: list[Block] = [
        Table((header, *body[:_MOST_PARTS]), tuple(numbers)),
    ]
    if len(body) > _MOST_PARTS:
        shown.append(Text(f"And {len(body) - _MOST_PARTS} more: {quality.summary()}."))
    return shown


def _figures(pictures) -> tuple[Block, ...]:
    if not pictures:
        return ()
    text = (
        "Given by whoever made this report. They are covered by the guarantee only if "
        "they show the model, or what was drawn from it, and no record."
    )
    return (Text(text), *pictures)


def _ledger(privacy: PrivacyReport) -> tuple[Block, ...]:
    lines = repeated(privacy.ledger)
    parts = getattr(privacy, "parts", None)
    noisy = not math.isinf(privacy.spent_mu)
    header = ["release", "times", "shape", "sensitivity", "noise", "mu"]
    header += ["part"] if parts else ["share"]
    rows = [tuple(header)]
    for name, entry, place, times in lines:
        share = times * (entry.mu / privacy.spent_mu) ** 2 if noisy else 1.0
        rows.append(
            (
                name,
                str(times),
                " x ".join(map(str, entry.shape)) or "number",
                f"{entry.l2_sensitivity:.6g}",
                f"{entry.noise_multiplier:.5g}",
                f"{entry.mu:.5g}",
                parts[place] if parts else f"{100.0 * share:.1f} %" if noisy else "",
            )
        )
    text = (
        "All looks at the records, in order. Of "
        f"{len(privacy.ledger)} rows those that repeat are one line. Each is a sum of "
        "bounded vectors with Gaussian noise, and was debited before the noise was "
        "drawn. Sensitivity is the most by which one unit can move the sum, in steps "
        "of the grid on which it was taken; noise is in units of it. Costs add up as "
        "the squares of mu"
    )
    text += "; of disjoint parts the costliest counts." if parts else "."
    numbers = (1, 3, 4, 5) if parts else (1, 3, 4, 5, 6)
    return (Text(text), Table(tuple(rows), numbers))


def _believed(subject: Subject) -> tuple[Block, ...]:
    rows = believed(subject.privacy, subject.made_by.get("skdpgmm"))
    more = (
        ("other fits", "those to the same people cost more, and are not in here"),
        ("side channels", "timing, memory, warnings and messages are not covered"),
    )
    text = "No report and no file can show it. Whoever fitted the model vouches for it."
    lines = tuple((name, said or "nothing") for name, said in rows)
    return (Text(text), Facts((*lines, *more)))


def _verified(subject: Subject) -> tuple[Block, ...]:
    found = subject.verification
    if found is None:
        return (
            Text(
                "This report was made from a model in memory. One of a file that the "
                "method save has written says what the file proves."
            ),
        )
    words = {True: "passed", False: "FAILED", None: "not done"}
    rows = [("check", "result", "found")]
    rows += [(c.what, words[c.passed], c.found) for c in found.checks]
    facts = (
        ("file", found.name),
        ("digest", found.digest),
        ("verified", found.answer),
    )
    return (Facts(facts), Table(tuple(rows)))


def _card(card: Card) -> tuple[Block, ...]:
    rows = []
    for fields in card.groups.values():
        for name, value in fields.items():
            rows.append((name.replace("_", " "), _told(value)))
    text = (
        "Fields are those of the schema of the Differential Privacy Deployments "
        "Registry (opendp/deployments-registry-data; see arXiv:2509.13509)."
    )
    blocks: tuple[Block, ...] = (Text(text), Facts(tuple(rows)))
    if card.missing:
        names = ", ".join(name.replace("_", " ") for name in card.missing)
        blocks = (*blocks, Text(f"To be told by whoever publishes it: {names}."))
    return blocks


def _told(value) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number:g}" for name, number in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)
