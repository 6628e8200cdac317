"""Options that several commands have; knows no command."""

import argparse
from collections.abc import Callable
from typing import Any

from timeline.option_parser import FolderToWrite, Rules, StudyFile, There, ToWrite, word


def study(parser: argparse.ArgumentParser, type: Callable[[str], Any] = StudyFile) -> None:
    """The study; `type` says whether it must be there."""
    parser.add_argument("study", metavar="STUDY", type=type, help="the study: one DuckDB file")


def several(
    parser: argparse.ArgumentParser, option: str, metavar: str, help: str, type: Callable[[str], Any] | None = None
) -> None:
    """An option that takes several words, and may stand there several times."""
    parser.add_argument(option, metavar=metavar, nargs="+", action="extend", default=[], type=type or word, help=help)


def rules(parser: argparse.ArgumentParser) -> None:
    """Rules beside the shipped ones."""
    several(parser, "--rules", "DIR", "folders read after the shipped rules", Rules)
    parser.add_argument("--only", action="store_true", help="leave the shipped rules out (not their concepts)")


def other_rules(parser: argparse.ArgumentParser) -> None:
    """Rules beside the shipped ones, or else those of the last run."""
    several(
        parser, "--rules", "DIR", "folders read after the shipped rules (default: the rules of the last run)", Rules
    )
    parser.add_argument("--only", action="store_true", help="leave the shipped rules out (not their concepts)")


def settings(parser: argparse.ArgumentParser) -> None:
    """Parameters of rules."""
    several(parser, "--set", "RULE.PARAM=VALUE", "a parameter of a rule")


def queries(parser: argparse.ArgumentParser) -> None:
    """Questions of one's own."""
    parser.add_argument("--queries", metavar="DIR", type=There, help="a folder of queries in place of the shipped ones")


def formats(parser: argparse.ArgumentParser) -> None:
    """The format of an extract."""
    choices = ("auto", "native", "omop", "meds", "fhir")
    parser.add_argument("--format", choices=choices, default="auto", help="default: auto")


def show_words(parser: argparse.ArgumentParser) -> None:
    """Whether words of the source are told that stand for a patient each."""
    words = "show codes, units and routes that stand for a patient each, too: patients' values"
    parser.add_argument("--show-values", action="store_true", help=words)


def output(parser: argparse.ArgumentParser, what: str) -> None:
    """The file to write."""
    parser.add_argument("-o", "--output", metavar="FILE", type=ToWrite, help=what)


def folder(parser: argparse.ArgumentParser, name: str, help: str, default: str | None = None) -> None:
    """The folder to write into."""
    parser.add_argument(name, metavar="DIR", type=FolderToWrite, default=default, help=help)


def chart(parser: argparse.ArgumentParser, what: str) -> None:
    """The file to draw into."""
    parser.add_argument("--chart", metavar="FILE", type=ToWrite, help=what)
