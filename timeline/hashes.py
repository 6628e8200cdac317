"""The hash of what a rule means: by itself, and with all that it reads; knows no study and no data."""

import json
from collections.abc import Mapping
from hashlib import sha256

from timeline.compiler import Compiled
from timeline.compiler.params import in_force
from timeline.concepts import WITHOUT_MEANING
from timeline.rules import RuleSet


def rule_hashes(ruleset: RuleSet, compiled: tuple[Compiled, ...], params: Mapping[str, str] = {}) -> dict[str, str]:
    """Return the hash of each rule's meaning: its text without words, parameters, concepts, and the rules it reads."""
    from timeline import __version__

    own, found = own_hashes(ruleset, compiled, params), {}
    for rule in compiled:
        found[rule.name] = digest([own[rule.name], {name: found[name] for name in rule.reads}, __version__])
    return found


def own_hashes(ruleset: RuleSet, compiled: tuple[Compiled, ...], params: Mapping[str, str] = {}) -> dict[str, str]:
    """Return the hash of what each rule says by itself, whatever the rules mean that it reads."""
    texts, found = in_force(ruleset, params), {}
    for rule in compiled:
        meaning = ruleset.rules[rule.name].model_dump(exclude={"title", "description", "source", "params"})
        concepts = {name: ruleset.concepts[name].model_dump(exclude=set(WITHOUT_MEANING)) for name in rule.concepts}
        found[rule.name] = digest([meaning, texts[rule.name], concepts])
    return found


def digest(value: object) -> str:
    """Return the hash of a value that JSON can say."""
    return sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
