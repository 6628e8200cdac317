"""The paired test that a header declares: one, or a family with one a panel; knows frames, not what they are about."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from timeline import stats
from timeline.errors import TimelineError
from timeline.statistic.declared import PairedOf
from timeline.statistic.single import answer_of
from timeline.stats import Answer

if TYPE_CHECKING:
    import polars

TESTS = {"paired_t": stats.paired_t, "ratio_t": stats.ratio_t}
RATIO = "ratio, after to before"
ESTIMATES = {"paired_t": "mean difference", "ratio_t": RATIO}
ADJUST = {"holm": stats.holm, "benjamini_hochberg": stats.benjamini_hochberg}


@dataclass(frozen=True)
class Panel:
    """One test, what stands beside it, and why it could not be done where it could not."""

    title: str
    pairs: stats.Pairs
    test: stats.PairedT | stats.RatioT | None
    beside: tuple[Any, ...]
    refused: str = ""

    @property
    def p(self) -> float | None:
        return self.test.p if self.test else None

    @property
    def estimate(self) -> float | None:
        """The mean difference, or the geometric mean of the ratios."""
        return self.test.mean_difference if isinstance(self.test, stats.PairedT) else self.test and self.test.ratio

    @property
    def direction(self) -> str:
        """Of the estimate: `lower` or `higher` after than before; empty where neither."""
        unchanged = 1.0 if isinstance(self.test, stats.RatioT) else 0.0
        if self.estimate is None or self.estimate == unchanged:
            return ""
        return "higher" if self.estimate > unchanged else "lower"


def paired(frame: "polars.DataFrame", declared: PairedOf) -> Answer:
    """Return the test of all rows, or of each panel; a panel that cannot be tested says why, and the others go on."""
    if declared.by is None:
        panel = _panel(frame, declared, declared.title)
        if panel.refused:
            raise TimelineError(panel.refused)
        found = [panel.test, *panel.beside]
        return answer_of(
            declared, tuple(map(str, found)), *found, values=_values(panel, {}), brief=_brief(panel, declared)
        )
    panels = {
        str(key): _panel(part, declared, str(part[declared.words][0]) if declared.words else str(key))
        for (key,), part in frame.group_by(declared.by, maintain_order=True)
    }
    return _family(panels, declared)


def _panel(frame: "polars.DataFrame", declared: PairedOf, title: str) -> Panel:
    columns = {name: frame[name].to_list() for name in declared.columns()}
    label, missing = declared.label, declared.missing
    pairs = stats.pair_up(
        columns[declared.before],
        columns[declared.after],
        columns[label] if label is not None else None,
        columns[missing] if missing is not None else None,
    )
    try:
        test = TESTS[declared.test](pairs)
    except TimelineError as error:
        return Panel(title, pairs, None, (), str(error))
    return Panel(title, pairs, test, tuple(_beside(kind, pairs, declared) for kind in declared.beside))


def _beside(kind: str, pairs: stats.Pairs, declared: PairedOf) -> Any:
    match kind:
        case "wilcoxon":
            return stats.wilcoxon(pairs)
        case "sign_test":
            return stats.sign_test(pairs)
        case "hodges_lehmann":
            return stats.hodges_lehmann(pairs)
        case _:
            return stats.leave_one_out(TESTS[declared.test], pairs)


def _family(panels: Mapping[str, Panel], declared: PairedOf) -> Answer:
    p_values = {key: panel.p for key, panel in panels.items()}
    named = {panel.title: panel.p for panel in panels.values()}
    adjusted = {kind: ADJUST[kind](p_values, declared.alpha) for kind in declared.adjust}
    significant = {key: panel for key, panel in panels.items() if panel.p is not None and panel.p < declared.alpha}
    sides = {side: sorted(k for k, panel in significant.items() if panel.direction == side) for side in SIDES}
    own = {
        key: {kind: {one.name: one.adjusted for one in family.tests}[key] for kind, family in adjusted.items()}
        for key in panels
    }
    sentences = [_summary(panels, declared, sides)]
    if any(panel.p is not None for panel in panels.values()):
        sentences += [str(ADJUST[kind](named, declared.alpha)) for kind in adjusted]
    sentences += [f"{panel.title}: not tested: {panel.refused}" for panel in panels.values() if panel.refused]
    values = {
        "tests": len(panels),
        "n": max((panel.pairs.n for panel in panels.values()), default=0),
        "significant": len(significant),
        "stars": sorted({stats.stars(panel.p) for panel in significant.values()}),
        **sides,
    }
    results = [result for panel in panels.values() for result in (panel.test, *panel.beside) if result is not None]
    return answer_of(
        declared,
        tuple(sentences),
        *results,
        *adjusted.values(),
        values=values,
        rows={
            key: {"title": panel.title, "unit": declared.unit, "of": ESTIMATES[declared.test]}
            | _values(panel, own[key])
            for key, panel in panels.items()
        },
        brief=(sentences[0],),
    )


SIDES = ("lower", "higher")


def _summary(panels: Mapping[str, Panel], declared: PairedOf, sides: Mapping[str, list[str]]) -> str:
    """`17 tests (ratio paired t), n = 9 pairs; …: which are lower, which higher after than before`."""
    if not panels:
        return "nothing to test: no rows"
    method = next((panel.test.method for panel in panels.values() if panel.test), declared.test.replace("_", " "))
    sizes = sorted({panel.pairs.n for panel in panels.values()})
    n = " to ".join(f"{size:,}" for size in dict.fromkeys((sizes[0], sizes[-1])))
    found = [
        f"{side} after: {', '.join(panel.title for key, panel in panels.items() if key in keys)}"
        for side, keys in sides.items()
        if keys
    ] or ["none"]
    left_out = {panel.pairs.left_out for panel in panels.values()}
    missing = f"; {_missing(next(iter(panels.values())))}" if len(left_out) == 1 else ""
    tests = f"{len(panels)} test{'' if len(panels) == 1 else 's'} ({method}), n = {n} pairs"
    return f"{tests}; p < {declared.alpha:g}: {'; '.join(found)}{missing}"


def _values(panel: Panel, adjusted: Mapping[str, float | None]) -> dict[str, Any]:
    """Everything of one test by name; the names are the same whether or not it could be done."""
    test, pairs = panel.test, panel.pairs
    values: dict[str, Any] = {
        "n": pairs.n,
        "median_before": median(pairs.before) if pairs.n else None,
        "median_after": median(pairs.after) if pairs.n else None,
        "estimate": panel.estimate,
        "low": test.low if test else None,
        "high": test.high if test else None,
        "t": test.t if test else None,
        "df": test.df if test else None,
        "p": panel.p,
        "stars": stats.stars(panel.p),
        "direction": panel.direction,
        "missing": _missing(panel),
        **adjusted,
    }
    for result in panel.beside:
        match result:
            case stats.SignedRank():
                values["wilcoxon"] = result.p
            case stats.SignTest():
                values["sign_test"] = result.p
            case stats.HodgesLehmann():
                values["hodges_lehmann"] = result.difference
            case stats.LeaveOneOut():
                values |= {"p_lowest_without_one": result.low, "p_highest_without_one": result.high}
    return values


def _missing(panel: Panel) -> str:
    """`5 missing: 3 …, 2 …`, or that none is."""
    return stats.left_out_text(panel.pairs.left_out).removeprefix("; ")


def _brief(panel: Panel, declared: PairedOf) -> tuple[str, ...]:
    assert panel.test is not None
    marked = stats.stars(panel.p)
    p = f"{stats.p_text(panel.p)} ({marked})" if panel.p is not None else f"p undefined: {panel.test.reason}"
    return (f"{panel.test.method}, n = {panel.pairs.n:,}, {p}; {_missing(panel)}",)
