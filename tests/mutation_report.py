"""All mutants of a shipped folder of rules, and what became of them: `python -m tests.mutation_report [FOLDER]`.

Knows where rules, cases and the list of equivalent mutants are; what a mutant is and how it is tried, others know.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import get_args

import yaml

from tests.mutants import mutants_of
from tests.mutation import Outcome, Verdict, studies_of, verdict
from tests.test_part_a import ruleset as part_a
from timeline.compiler import needed
from timeline.load import load
from timeline.rules import RuleSet
from timeline.shipped import folder

SURVIVORS = Path(__file__).parent / "mutation_survivors.yaml"
MAIN = "rules"
"""The name here of the shipped folder itself."""


def overlays() -> list[str]:
    """The folders of rules within the shipped one, by their path in it."""
    root = folder("rules")
    return [path.parent.relative_to(root).as_posix() for path in root.rglob("*/ruleset.yaml")]


FOLDERS = (MAIN, *sorted(overlays()))


def verdicts_of(name: str) -> list[Verdict]:
    """Return the verdict on every mutant of the shipped folder `name`, in the order of its rules."""
    ruleset = ruleset_of(name)
    examples, cases = studies_of(ruleset), studies_of(part_a()) if name == MAIN else []
    return [verdict(mutant, examples, cases) for rule in own_rules(name) for mutant in mutants_of(ruleset, rule)]


@cache
def ruleset_of(name: str) -> RuleSet:
    """The folder read after the shipped one, of which its own examples and what they need of all rules remain."""
    if name == MAIN:
        return load([])
    whole = load([folder("rules") / name])
    examples = {where: example for where, example in whole.examples.items() if _stands_in(where, name)}
    asked = {rule for example in examples.values() for rule in example.expect}
    alone = needed(whole, {*asked, *(rule for rule in whole.rules if _stands_in(whole.places[rule], name))})
    return alone.model_copy(update={"examples": examples})


def own_rules(name: str) -> list[str]:
    """The rules that stand in the folder itself: those that are changed."""
    ruleset = ruleset_of(name)
    return [rule for rule in ruleset.rules if name == MAIN or _stands_in(ruleset.places[rule], name)]


def _stands_in(place: str, name: str) -> bool:
    return place.startswith(f"{folder('rules') / name}/")


def equivalent(name: str) -> dict[str, str]:
    """Return the mutants of a folder that no extract can tell from the rule, each with the reason."""
    listed = yaml.safe_load(SURVIVORS.read_text("utf-8")).get(name, [])
    return {mutant: entry["reason"] for entry in listed for mutant in entry["mutants"]}


def table(verdicts: Iterable[Verdict], listed: Iterable[str]) -> str:
    """A line for each rule file: mutants made, and what noticed them; the survivors are equivalent or open."""
    known, lines = set(listed), {}
    for one in verdicts:
        equal = one.outcome == "survived" and str(one.mutant) in known
        lines.setdefault(one.mutant.file, Counter())["equivalent" if equal else one.outcome] += 1
    lines["all"] = sum(lines.values(), Counter())
    outcomes = (*get_args(Outcome), "equivalent")
    rows = [("file", "made", *outcomes)]
    rows += [(file, found.total(), *(found[outcome] for outcome in outcomes)) for file, found in lines.items()]
    return "\n".join(f"{row[0]:36}" + "".join(f"{cell:>12}" for cell in row[1:]) for row in rows)


def main() -> None:
    for name in sys.argv[1:] or FOLDERS:
        clock, listed = time.process_time(), equivalent(name)
        verdicts = verdicts_of(name)
        print(f"{table(verdicts, listed)}\n{time.process_time() - clock:.0f} processor seconds\n")
        for one in verdicts:
            if one.outcome == "survived" and str(one.mutant) not in listed:
                print(one.mutant)


if __name__ == "__main__":
    main()
