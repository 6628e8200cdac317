"""A parser of calls whose mistakes are ours to tell, with the nearest known word; knows no command."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from timeline.errors import UsageError


class Parser(argparse.ArgumentParser):
    """An argparse parser whose mistakes are UsageErrors, with the nearest known word."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}{self._nearest(message) or '.'} See `{self.prog} --help`")

    def _nearest(self, message: str) -> str:
        if not message.startswith("unrecognized arguments: -"):
            return ""
        word = message.removeprefix("unrecognized arguments: ").split()[0].split("=")[0]
        known = [option for action in self._actions for option in action.option_strings]
        return did_you_mean(word, known)


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The nearest known word as a question; printing is imported only where a call is wrong."""
    from timeline.printing import did_you_mean

    return did_you_mean(word, known)
