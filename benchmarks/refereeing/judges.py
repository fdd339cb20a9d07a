"""Gives numbers of runs to auditors of others; `benchmarks.referees` starts it.

Arguments: epsilon, delta, what the numbers are, and their file. With dp-auditorium on
the path, numbers of fits go to it too. The last line that it prints is JSON.
"""

import json
import os
import sys
import time
import types

import numpy as np

# Of each bound.
CHANCE = 0.05
# The default of 2 is for many more runs: the network would not learn.
EPOCHS = 40


def learned(out, there):
    """Return scores of the second half of runs, by a linear rule of the first half."""
    half = len(out) // 2
    center, spread = _scale(out[:half], there[:half])
    out, there = (out - center) / spread, (there - center) / spread
    gap = there[:half].mean(axis=0) - out[:half].mean(axis=0)
    within = 0.5 * (np.cov(out[:half].T) + np.cov(there[:half].T))
    rule = np.linalg.solve(np.atleast_2d(within) + 1e-3 * np.eye(len(gap)), gap)
    return out[half:] @ rule, there[half:] @ rule


def _scale(out, there):
    both = np.vstack([out, there])
    return both.mean(axis=0), np.maximum(both.std(axis=0), 1e-12)


def by_jax_privacy(out, there, what, delta):
    """Return lower bounds on epsilon, by name."""
    from jax_privacy import auditing

    if what == "sample":
        out, there = learned(out, there)
    auditor = auditing.CanaryScoreAuditor(there, out)
    if what == "canaries":
        return {
            "one run": auditor.epsilon_one_run(CHANCE, max(delta, 1e-12)),
            "one run, f-DP": auditor.epsilon_one_run_fdp(CHANCE, max(delta, 1e-12)),
        }
    at_half = auditing.Split(seed=0)
    if what == "scores":  # ratios of likelihoods
        at_half = auditing.Explicit(0.0)
    return {
        "Clopper-Pearson": auditor.epsilon_clopper_pearson(
            CHANCE, delta, one_sided=False, threshold_strategy=at_half
        )
    }


def by_auditorium(out, there, epsilon, delta):
    """Return the lower bound on delta at this epsilon, and whether it rejects."""
    # What draws data sets, and needs a package of its own.
    for name in ("generators", "mechanisms", "privacy_test_runner"):
        full = f"dp_auditorium.{name}"
        sys.modules[full] = types.ModuleType(full)
    import tensorflow as tf
    from dp_auditorium.configs import privacy_property, property_tester_config
    from dp_auditorium.testers import hockey_stick_tester

    tf.keras.utils.set_random_seed(0)
    training = hockey_stick_tester.make_default_hs_training_config()
    training.training_epochs = EPOCHS
    config = property_tester_config.HockeyStickPropertyTesterConfig(
        training_config=training,
        approximate_dp=privacy_property.ApproximateDp(epsilon=epsilon, delta=delta),
    )
    tester = hockey_stick_tester.HockeyStickPropertyTester(
        config=config, base_model=hockey_stick_tester.make_default_hs_base_model()
    )
    half = len(out) // 2
    center, spread = _scale(out[:half], there[:half])
    pair = [(one - center) / spread for one in (out, there)]
    bounds = [
        tester.estimate_lower_bound(*order, CHANCE / 2.0)
        for order in (pair, pair[::-1])
    ]
    return float(max(bounds)), bool(tester.reject_property(max(bounds)))


def timed(judge, *given):
    """Return what an auditor finds, with its seconds, or why not."""
    start = time.perf_counter()
    try:
        found = {"found": judge(*given)}
    except Exception as error:
        found = {"failure": f"{type(error).__name__}: {error}"}
    return found | {"seconds": time.perf_counter() - start}


def main():
    epsilon, delta, what, path = sys.argv[1:]
    answer_to = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    epsilon, delta = float(epsilon), float(delta)
    with np.load(path) as kept:
        out, there = kept["out"], kept["there"]
    said = {"jax-privacy": timed(by_jax_privacy, out, there, what, delta)}
    if what == "sample":
        said["dp-auditorium"] = timed(by_auditorium, out, there, epsilon, delta)
    print(json.dumps(said), file=answer_to, flush=True)


if __name__ == "__main__":
    main()
