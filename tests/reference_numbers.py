"""What lifelines, statsmodels and scipy say, written to golden/reference_numbers.json by `make reference`; no test.

They bring many packages, so they live in an environment of their own, and the tests read what they said. Knows nothing
of `timeline`: inputs are fixed, or random with a seed, and stand in the file beside the results.
"""

import json
import math
import random
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent / "golden" / "reference_numbers.json"
SEED = 20221
PUBLISHED = [18, 20, 24, 27, 29, 29, 70, 100, 150, 198, 600, 700, 743, 900]
"""Days to death of ten patients and to the last contact of four, with which a published survival agrees."""


def survival_inputs(dice: random.Random) -> list[dict]:
    """Cohorts with ties, with censoring at times of death, with nobody censored and with everybody."""
    cohorts = [(PUBLISHED, [True] * 10 + [False] * 4), ([5, 5, 5, 8], [True] * 4), ([3, 4, 9], [False] * 3)]
    for size in (2, 7, 14, 30, 60, 200):
        for most in (8, 400):
            times = [dice.randint(1, most) for _ in range(size)]
            cohorts.append((times, [dice.random() < 0.6 for _ in times]))
    return [{"times": times, "events": events} for times, events in cohorts]


def pair_inputs(dice: random.Random) -> list[dict]:
    """Pairs with and without ties and unchanged ones, few and many, of sizes from hundredths to millions."""
    fixed = [([4.2, 2.5, 6.5], [8.7, 4.9, 13.1])]
    for size in (3, 5, 9, 14, 25, 50, 120):
        scale = 10 ** dice.uniform(-2, 6)
        before = [scale * dice.lognormvariate(0, 0.8) for _ in range(size)]
        fixed.append((before, [value * dice.lognormvariate(-0.2, 0.6) for value in before]))
        coarse = [float(dice.randint(1, 9)) for _ in range(size)]
        fixed.append((coarse, [value + dice.choice([-1, 0, 1, 2]) + 1 for value in coarse]))
    return [{"before": before, "after": after} for before, after in fixed]


def survival(case: dict) -> dict:
    """Kaplan-Meier by lifelines, its Greenwood standard error by statsmodels, and the reverse curve's median."""
    from lifelines import KaplanMeierFitter  # pyright: ignore[reportMissingImports]
    from statsmodels.duration.survfunc import SurvfuncRight  # pyright: ignore[reportMissingImports]

    times, events = case["times"], case["events"]
    fitted = KaplanMeierFitter().fit(times, events)
    limits = fitted.confidence_interval_
    steps = sorted(set(times))
    curve = {
        "times": steps,
        "survival": [float(fitted.survival_function_.iloc[:, 0].loc[time]) for time in steps],
        "low": [float(limits.iloc[:, 0].loc[time]) for time in steps],
        "high": [float(limits.iloc[:, 1].loc[time]) for time in steps],
        "median": finite(fitted.median_survival_time_),
        "reverse_median": finite(KaplanMeierFitter().fit(times, [not e for e in events]).median_survival_time_),
    }
    if any(events):
        right = SurvfuncRight(times, events)
        curve["deaths"] = {
            "times": [float(time) for time in right.surv_times],
            "std_error": [finite(error) for error in right.surv_prob_se],
        }
    return curve


def paired(case: dict) -> dict:
    from scipy.stats import wilcoxon
    from statsmodels.stats.descriptivestats import sign_test  # pyright: ignore[reportMissingImports]
    from statsmodels.stats.weightstats import DescrStatsW  # pyright: ignore[reportMissingImports]

    before, after = case["before"], case["after"]
    found = {}
    for name, of in (("paired_t", float), ("ratio_t", math.log)):
        change = DescrStatsW([of(new) - of(old) for old, new in zip(before, after, strict=True)])
        t, p, df = change.ttest_mean()
        low, high = change.tconfint_mean()
        found[name] = {"t": float(t), "p": float(p), "df": int(df), "low": float(low), "high": float(high)}
    difference = [new - old for old, new in zip(before, after, strict=True)]
    sizes = [abs(value) for value in difference]
    plain = len(set(sizes)) == len(sizes) and 0 not in sizes and len(sizes) <= 50
    how: dict[str, Any] = (
        {"method": "exact"} if plain else {"method": "asymptotic", "correction": False, "zero_method": "wilcox"}
    )
    signed: Any = wilcoxon(difference, **how)
    found["wilcoxon"] = {"p": float(signed.pvalue), "exact": plain}
    found["sign_test"] = {"p": float(sign_test(difference, 0)[1])}
    return found


def families(dice: random.Random) -> list[dict]:
    from statsmodels.stats.multitest import multipletests  # pyright: ignore[reportMissingImports]

    cases = []
    for size in (1, 2, 5, 17, 27, 100):
        p_values = [round(dice.random() ** 3, dice.choice([2, 4, 12])) for _ in range(size)]
        adjusted = {
            name: [float(p) for p in multipletests(p_values, method=method)[1]]
            for name, method in (("holm", "holm"), ("benjamini_hochberg", "fdr_bh"))
        }
        cases.append({"p": p_values, **adjusted})
    return cases


def proportions(dice: random.Random) -> list[dict]:
    from statsmodels.stats.proportion import proportion_confint  # pyright: ignore[reportMissingImports]

    shares = [(0, 9), (9, 9), (6, 11), (5, 9), (7, 9), (12, 14), (7, 14), (4, 14), (9, 14), (5, 14), (3, 6), (0, 1)]
    shares += [(dice.randint(0, n), n) for n in (3, 20, 50, 333, 2000, 10000)]
    cases = []
    for k, n in shares:
        for level in (0.95, 0.8):
            low, high = proportion_confint(k, n, alpha=1 - level, method="beta")
            cases.append({"k": k, "n": n, "level": level, "low": float(low), "high": float(high)})
    return cases


def finite(value: float) -> float | None:
    """JSON has no infinity: a median that is not reached is null, and so is what is undefined."""
    return float(value) if math.isfinite(value) else None


def main() -> int:
    dice = random.Random(SEED)
    numbers = {
        "made_by": {name: version(name) for name in ("lifelines", "statsmodels", "scipy")},
        "survival": [{**case, "found": survival(case)} for case in survival_inputs(dice)],
        "pairs": [{**case, "found": paired(case)} for case in pair_inputs(dice)],
        "families": families(dice),
        "proportions": proportions(dice),
    }
    TARGET.write_text(json.dumps(numbers, indent=None, separators=(",", ":")).replace(',"found"', ',\n"found"') + "\n")
    print(f"{TARGET}: {TARGET.stat().st_size:,} bytes, " + ", ".join(f"{k} {v}" for k, v in numbers["made_by"].items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
