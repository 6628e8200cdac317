"""One chart as a file: a picture, a page that opens offline, or its specification; knows no study and no query."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from timeline import charts
from timeline.charts import theme
from timeline.errors import UsageError

if TYPE_CHECKING:
    import altair

ENDINGS = (".png", ".svg", ".pdf", ".html", ".json")
PAGE = Path(__file__).parent / "page"


def check_name(path: Path) -> None:
    """Raise UsageError where a chart cannot be written to `path`."""
    if path.suffix not in ENDINGS:
        raise UsageError(f"{path}: write a name that ends in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: this is no file; name one to write")


def write(chart: "altair.TopLevelMixin", path: Path, title: str) -> None:
    """Write `chart` to `path` as its ending says; raise UsageError for another ending."""
    check_name(path)
    spec = charts.specification(chart)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".html":
        path.write_text(page(spec, title), encoding="utf-8")
    else:
        write_specification(spec, path)


def write_specification(spec: dict[str, Any], path: Path) -> None:
    """Write a Vega-Lite specification to `path`, as itself (.json) or drawn (.png, .svg, .pdf)."""
    if path.suffix == ".json":
        path.write_text(json.dumps(spec, ensure_ascii=False, indent=1), encoding="utf-8")
    else:
        path.write_bytes(charts.picture(spec, path.suffix[1:]))


def page(spec: dict[str, Any], title: str) -> str:
    """Return a page with the chart alone, which opens without a network, by day and by night."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("chart.html").render(
        title=title,
        spec=in_script(spec),
        # Vega writes the text of data into SVG escaped; see the test with a tag for a name.
        picture=charts.picture(spec, "svg").decode(),
        night=in_script(theme.NIGHT),
        library=library().replace("</script", "<\\/script"),
        script=drawing(),
    )


def drawing() -> str:
    """Return the script that draws a page's charts and turns their pages; it needs `library`."""
    return "".join((PAGE / name).read_text(encoding="utf-8") for name in ("pages.js", "charts.js"))


def in_script(value: Any) -> str:
    """Return JSON that can stand inside <script>: no tag can end or begin in it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def library() -> str:
    """Return the scripts that draw charts in a browser."""
    import vl_convert

    # Its stub asks for the snippet that the function itself makes optional.
    return vl_convert.javascript_bundle()  # pyright: ignore[reportCallIssue]
