"""Statistics of one column or two: median and range, shares, counts, survival; know frames, not what they are about."""

from typing import TYPE_CHECKING, Any

from timeline import stats
from timeline.statistic.declared import CountsOf, MedianRangeOf, ProportionOf, Statistic, SurvivalOf
from timeline.stats import Answer

if TYPE_CHECKING:
    import polars


def answer_of(declared: Statistic, sentences: tuple[str, ...], *results: Any, **parts: Any) -> Answer:
    """Return the Answer to `declared`; `results` are what was computed, for their methods and conventions."""
    methods = dict.fromkeys((result.method, result.conventions) for result in results)
    brief = parts.pop("brief", tuple(f"{declared.title}: {sentence}" for sentence in sentences))
    return Answer(
        declared.name or declared.kind,
        declared.title,
        sentences,
        brief=brief,
        methods=tuple(methods),
        published=declared.published,
        **parts,
    )


def median_range(frame: "polars.DataFrame", declared: MedianRangeOf) -> Answer:
    found = stats.median_range(frame[declared.of].to_list(), declared.unit)
    values = {"n": found.n, "median": found.median, "low": found.low, "high": found.high}
    return answer_of(declared, (str(found),), found, values=values)


def proportion(frame: "polars.DataFrame", declared: ProportionOf) -> Answer:
    found = stats.proportion(frame[declared.of].to_list())
    shares = {"percent": found.share, "low": found.low, "high": found.high}
    percents = {name: None if share is None else 100 * share for name, share in shares.items()}
    return answer_of(declared, (str(found),), found, values={"n": found.n, "count": found.successes, **percents})


def counts(frame: "polars.DataFrame", declared: CountsOf) -> Answer:
    levels = declared.levels or None
    if declared.by is None:
        found = stats.counts(frame[declared.of].to_list(), levels)
        return answer_of(declared, (str(found),), found, values={"n": found.n, **dict(found.levels)})
    panels = {str(panel): part for (panel,), part in frame.group_by(declared.by, maintain_order=True)}
    parts = {panel: stats.counts(part[declared.of].to_list(), levels) for panel, part in panels.items()}
    titles = {panel: str(part[declared.words][0]) if declared.words else panel for panel, part in panels.items()}
    sentences = tuple(f"{titles[panel]}: {found}" for panel, found in parts.items())
    rows = {
        panel: {"title": titles[panel], "n": found.n, "missing": found.missing, **dict(found.levels)}
        for panel, found in parts.items()
    }
    return answer_of(declared, sentences, *parts.values(), rows=rows)


def survival(frame: "polars.DataFrame", declared: SurvivalOf) -> Answer:
    found = stats.survival(
        frame[declared.time].to_list(),
        frame[declared.event].to_list(),
        landmarks=declared.landmarks,
        rule=declared.median,
        unit=declared.unit,
        reasons=frame[declared.missing].to_list() if declared.missing else None,
    )
    at = {f"percent_at_{time:g}": None if mark is None else 100 * mark.survival for time, mark in found.landmarks}
    values = {"n": found.curve.n, "events": found.curve.events, "median": found.median, "follow_up": found.follow_up}
    values |= {"rule": found.rule, "landmarks": list(declared.landmarks)}
    return answer_of(declared, (str(found),), found, values=values | at)
