"""Runs the README: its console blocks in order, in an empty folder, and puts what they print under them.

A block ```console holds lines `$ command`, each followed by what it prints. A block whose fence names a file, such as
```csv extract/events.csv, is written there first. Nothing here knows what the commands are.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)(?: +([\w./-]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = re.compile(r"\d+(\.\d+)? s\b")
"""What differs from run to run: the time that something took."""


@dataclass(frozen=True)
class Step:
    """A command of the README, or a file that it gives; with the text that stands under it."""

    command: str | None
    file: str | None
    text: str


def steps(readme: str) -> Iterator[Step]:
    """Yield the files and commands of `readme` in its order; `make` lines are for the reader's own checkout."""
    for language, file, body in BLOCK.findall(readme):
        if file:
            yield Step(None, file, body)
        elif language == "console":
            for part in re.split(r"^(?=\$ )", body, flags=re.MULTILINE):
                command, _, printed = part.partition("\n")
                if command.startswith("$ timeline"):
                    yield Step(command.removeprefix("$ "), None, printed)


def perform(step: Step, folder: Path) -> subprocess.CompletedProcess[str] | None:
    """Write the file or run the command in `folder`; return what the command printed."""
    if step.file:
        path = folder / step.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.text, encoding="utf-8")
        return None
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "100", "TZ": "UTC"}
    assert step.command is not None
    return subprocess.run(step.command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)


def steady(printed: str) -> str:
    """Return `printed` without what differs from run to run."""
    return SECONDS.sub("… s", printed).strip()


def written_anew(readme: str, folder: Path) -> str:
    """Return `readme` with what its commands print now, run in the empty `folder`."""
    for step in steps(readme):
        ran = perform(step, folder)
        if ran is None:
            continue
        printed = (ran.stdout + ran.stderr).rstrip() + "\n"
        before = f"$ {step.command}\n{step.text}"
        blank = "\n" if step.text.endswith("\n\n") else ""
        if before not in readme:
            raise ValueError(f"cannot find `{step.command}` with its output in the README")
        if steady(step.text) != steady(printed):
            readme = readme.replace(before, f"$ {step.command}\n{printed.lstrip()}{blank}", 1)
    return readme
