"""The few errors of the engine and the exit status of each; knows nothing of what they are about."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One mistake: where it is (`file:line:column`, or a table, or a row) and what to write instead."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class TimelineError(Exception):
    """Something the reader of the message can put right; never carries a patient's values."""

    exit_status = 1


class Findings(TimelineError):
    """The rules or the data have mistakes; all of them are in `findings`."""

    def __init__(self, findings: list[Finding], heading: str = "") -> None:
        self.findings = tuple(dict.fromkeys(findings))
        self.heading = heading
        lines = [heading] if heading else []
        super().__init__("\n".join(lines + [str(finding) for finding in self.findings]))


class StudyError(TimelineError):
    """The study file is missing, is no study, or is in use."""


class NoStudyError(StudyError):
    """What the call names as the study is none, and cannot become one."""

    exit_status = 2


class ExtractError(TimelineError):
    """The extract cannot be read as what it claims to be."""


class UsageError(TimelineError):
    """The call itself is wrong: an unknown name, a missing option."""

    exit_status = 2
