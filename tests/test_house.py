"""The house keeps its own rules: no medicine in the engine, small files, quick start, locked requirements."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
ENGINE = sorted((ROOT / "timeline").rglob("*.py"))
SYNDROMES = ("crs", "icans", "neutropenia", "neutropenic", "anakinra", "car-t", "steroid", "lymphoma", "cytokine")
HEAVY = (
    "duckdb",
    "polars",
    "pandera",
    "altair",
    "pint",
    "ucumvert",
    "scipy",
    "pydantic",
    "yaml",
    "jinja2",
    "numpy",
    "great_tables",
)
OTHER_NAME = {"yaml": "pyyaml", "vl_convert": "vl-convert-python", "great_tables": "great-tables"}
"""Modules whose package has another name."""
NOT_MEDICINE = {
    *("examples", "name", "version", "index", "title"),  # keys of the files
    *("cohort", "outcome"),  # shipped rules of general names
    "alt",  # the concept; also how altair is imported
    "temperature",  # the concept; also a physical dimension of units
    "death",  # the concept; also a word of the MEDS standard and of survival curves
}
LONGEST_FILE = 350


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("no git checkout: which files are tracked cannot be told")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def medical_words() -> set[str]:
    """Names of shipped concepts and rules, which only rules, queries and data may know."""
    words: set[str] = set(SYNDROMES)
    for file in (ROOT / "rules").rglob("*.yaml"):
        words |= {str(name) for name in yaml.safe_load(file.read_text(encoding="utf-8")) or {}}
    return words - NOT_MEDICINE


def test_the_engine_knows_no_medicine():
    words = medical_words()
    assert {"ferritin", "dexamethasone", "anakinra_window"} <= words
    found = []
    for path in ENGINE:
        text = path.read_text(encoding="utf-8").lower()
        for word in sorted(word for word in words if word in text):
            # A word stands by itself or as a part of a name: `steroid_dose` counts, `steroidal` does not.
            for match in re.finditer(rf"(?<![a-z]){re.escape(word)}(?![a-z])", text):
                found.append(f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}: {word}")
    assert not found, "\n".join(found)


def test_no_file_names_a_registry_or_a_machine():
    # Spelled in two halves, so that this file does not name them either.
    hosts = ["py" + r"pi\.(org|python)", "files.python" + "hosted", "registry.npm" + "js", "deb.deb" + "ian"]
    places = [rf"(?<![\w./-])/{place}/" for place in ("wo" + "rk", "ro" + "ot", "ho" + "me", "t" + "mp", "opt")]
    pattern = re.compile("|".join(hosts + places))
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_for_and_stays_small(path):
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= LONGEST_FILE
    assert ast.get_docstring(ast.parse(source)), "a module begins with what it is for, and what it must not know"


@pytest.mark.parametrize(
    "code", ["import timeline", "from timeline import cli; cli.main(['--help'])"], ids=["import", "help"]
)
def test_starting_imports_nothing_heavy(code):
    script = f"import sys; {code}; print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert ran.stderr.strip() == "[]"


def test_what_is_imported_is_declared_and_what_is_declared_is_imported():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {Requirement(text).name for text in project["dependencies"]}
    imported = set()
    for path in ENGINE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.split(".")[0])
    third_party = {OTHER_NAME.get(name, name) for name in imported - sys.stdlib_module_names - {"timeline"}}
    assert third_party <= declared
    # DuckDB hands frames to polars through pyarrow, ucumvert's units are pint's: neither is named by us.
    assert declared - third_party <= {"pyarrow", "pint"}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_hashed_and_complete(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = [block for block in re.split(r"\n(?=\S)", text) if block and not block.startswith("#")]
    assert all(re.match(r"[a-z0-9._-]+==\S+", block) and "--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?:|--(extra-)?index-url|--find-links", text)
    locked = {block.split("==")[0] for block in blocks}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    wanted = [*project["project"]["dependencies"], *groups["build"]]
    if "dev" in name:
        wanted += [text for text in groups["dev"] if isinstance(text, str)]
    assert {Requirement(text).name for text in wanted} <= locked
