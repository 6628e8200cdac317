"""Runs the README: its console blocks in order, in an empty folder, and puts what they print under them.

A block ```console holds lines `$ command`, each followed by what it prints, in which a line `…` stands for any number
of lines. A block whose fence names a file, such as ```csv extract/events.csv, is written there first. Nothing here
knows what the commands are.
"""

import contextlib
import io
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from timeline import cli

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)(?: +([\w./-]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = re.compile(r"\d+(\.\d+)? s\b")
"""What differs from run to run: the time that something took."""
ELISION = "…"


@dataclass(frozen=True)
class Step:
    """A command of the README, or a file that it gives; with the text that stands under it."""

    command: str | None
    file: str | None
    text: str


def steps(readme: str) -> Iterator[Step]:
    """Yield the files and commands of `readme` in its order; other blocks are for reading."""
    for language, file, body in BLOCK.findall(readme):
        if file:
            yield Step(None, file, body)
        elif language == "console":
            for part in re.split(r"^(?=\$ )", body, flags=re.MULTILINE):
                command, _, printed = part.partition("\n")
                if command.startswith("$ timeline"):
                    yield Step(command.removeprefix("$ "), None, printed)


def perform(step: Step, folder: Path) -> tuple[int, str]:
    """Write the file, or run the command, in `folder`; return its exit status and all that it printed."""
    if step.command is None:
        path = folder / (step.file or "")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.text, encoding="utf-8")
        return 0, ""
    printed, columns = io.StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    try:
        with contextlib.chdir(folder), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            status = cli.main(shlex.split(step.command)[1:])
    finally:
        os.environ.pop("COLUMNS")
        if columns is not None:
            os.environ["COLUMNS"] = columns
    return status, printed.getvalue()


def lines(printed: str) -> list[str]:
    """Return the lines of `printed` without what differs from run to run."""
    return [line.rstrip() for line in SECONDS.sub("… s", printed).strip("\n").splitlines()]


def agree(written: str, printed: str) -> bool:
    """Whether `written`, in which a line `…` stands for any, is what was `printed`."""
    expected, found = lines(written), lines(printed)
    if ELISION not in expected:
        return expected == found
    before, after = expected.index(ELISION), len(expected) - expected.index(ELISION) - 1
    shown = found[:before] + [ELISION] + found[len(found) - after :]
    return len(found) > before + after and shown == expected


def renewed(written: str, printed: str) -> str:
    """Return `printed` cut where `written` is: the same number of lines before and after its `…`."""
    old, new = written.strip("\n").splitlines(), printed.strip("\n").splitlines()
    if ELISION in old:
        after = len(old) - old.index(ELISION) - 1
        new = new[: old.index(ELISION)] + [ELISION] + new[len(new) - after :]
    return "\n".join(line.rstrip() for line in new) + "\n" + ("\n" if written.endswith("\n\n") else "")


def written_anew(readme: str, folder: Path) -> str:
    """Return `readme` with what its commands print now, run in the empty `folder`."""
    for step in steps(readme):
        _, printed = perform(step, folder)
        if step.command and not agree(step.text, printed):
            before = f"$ {step.command}\n{step.text}"
            readme = readme.replace(before, f"$ {step.command}\n{renewed(step.text, printed)}", 1)
    return readme
