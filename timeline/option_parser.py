"""A parser of calls whose mistakes are ours to tell, and the kinds of words in a call; knows no command.

A word that names a place is a text that can say what is wrong with it: `mistakes` asks all of a call at once, before
anything is done. Must be there at once: imports nothing heavy.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from timeline.errors import UsageError

PLAIN = "default"
"""The variant that is none."""


class Parser(argparse.ArgumentParser):
    """An argparse parser whose mistakes are UsageErrors, with the nearest known word.

    No word may be empty, and an option that takes one word may not be given twice.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.register("type", None, word)
        self.register("action", None, _Once)
        self.given: set[str] = set()

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}{self._nearest(message) or '.'} See `{self.prog} --help`")

    def _nearest(self, message: str) -> str:
        if not message.startswith("unrecognized arguments: -"):
            return ""
        word = message.removeprefix("unrecognized arguments: ").split()[0].split("=")[0]
        known = [option for action in self._actions for option in action.option_strings]
        return did_you_mean(word, known)


class _Once(argparse.Action):
    """Keep the word of an option; of two, none would be the one that is meant."""

    def __call__(self, parser: Any, namespace: argparse.Namespace, values: Any, option_string: str | None = None):
        if option_string is not None and self.dest in parser.given:
            raise argparse.ArgumentError(self, "given twice; write it once")
        if option_string is not None:
            parser.given.add(self.dest)
        setattr(namespace, self.dest, values)


def word(text: str) -> str:
    """Return a text that says something."""
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty text says nothing; write a word, or leave it out")
    return text


def whole(least: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from `least` on."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} on")
        return number

    return read


def listed(text: str) -> tuple[str, ...]:
    """Return the words between commas, each once."""
    words = tuple(one.strip() for one in word(text).split(","))
    if not all(words):
        raise argparse.ArgumentTypeError(f"{text!r}: write words with commas between them")
    if len(set(words)) < len(words):
        raise argparse.ArgumentTypeError(f"{text!r}: a word stands here twice")
    return words


class Place(str):
    """A word that names a file or a folder."""

    def __new__(cls, text: str) -> "Place":
        return super().__new__(cls, word(text))

    def mistake(self) -> str | None:
        """What is wrong with it, None for nothing."""
        return None


class There(Place):
    """A file or folder that must be there."""

    def mistake(self) -> str | None:
        path = Path(self)
        what = "the link leads nowhere" if path.is_symlink() else "there is no such file or folder"
        return None if path.exists() else f"{self}: {what}"


class Extract(There):
    """A file or folder that must be there, or the address of a database."""

    def mistake(self) -> str | None:
        from timeline.ingest import address

        return None if address.is_address(self) else super().mistake()


class Rules(There):
    """A folder of rules, or the name of one that is shipped."""

    def mistake(self) -> str | None:
        from timeline.folders import rule_folders

        if rule_folders([self])[0].is_dir():
            return None
        if Path(self).is_file():
            return f"{self}: a rule set is a folder of files; name {Path(self).parent}"
        return f"{self}: there is no such folder; name a folder of rule files"


class Variant(Rules):
    """A folder of rules, or the word for the rule set as it is."""

    def mistake(self) -> str | None:
        return None if self == PLAIN else super().mistake()


class StudyFile(Place):
    """A study that must be there."""

    def mistake(self) -> str | None:
        if Path(self).is_dir():
            return f"{self}: this is a folder; a study is one file, such as {Path(self) / 'study.duckdb'}"
        if Path(self).exists():
            return None
        return f"{self}: there is no study here; make one with `timeline ingest {self} EXTRACT`"


class ToWrite(Place):
    """A file that is made, or written over, in a folder that is there."""

    def mistake(self) -> str | None:
        path = Path(self)
        if path.is_dir():
            return f"{self}: this is a folder; name a file in it"
        return None if path.parent.is_dir() else f"{self}: there is no folder {path.parent}; make it first"


class FolderToWrite(Place):
    """A folder that is made, or written into."""

    def mistake(self) -> str | None:
        path = Path(self)
        return f"{self}: this is a file; name a folder" if path.exists() and not path.is_dir() else None


def mistakes(args: argparse.Namespace) -> Iterator[str]:
    """What is wrong with the places that a call names."""
    for value in vars(args).values():
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, Place) and (wrong := one.mistake()) is not None:
                yield wrong


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """The nearest known word as a question; printing is imported only where a call is wrong."""
    from timeline.printing import did_you_mean

    return did_you_mean(word, known)
