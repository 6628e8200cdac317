"""The command line: hands a call to `commands`, turns errors into words and an exit status.

Must start at once: imports nothing heavy, and knows nothing of how a command does its work.
"""

import os
import sys
from collections.abc import Sequence

from timeline.arguments import parse
from timeline.errors import Findings, TimelineError, UsageError
from timeline.option_parser import mistakes

OUR_FAULT = 1
STOPPED = 130
"""What shells expect of a program that was stopped with Ctrl-C."""


def main(argv: Sequence[str]) -> int:
    """Do what `argv` says and return the exit status: 0 done, 1 findings, 2 a wrong call."""
    wants_json = "--json" in argv
    try:
        args = parse(argv)
        if wrong := list(mistakes(args)):
            raise UsageError("\n".join(dict.fromkeys(wrong)))
        from timeline import commands

        status = commands.RUN[args.command](args)
        sys.stdout.flush()
        return status
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    except TimelineError as error:
        return _complain(error, wants_json)
    except KeyboardInterrupt:
        print("Stopped. The study is as it was before.", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:
        # Whoever read our output has had enough (`| head`): not an error, and nothing more to be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # The disk is full, a folder is a file, a file may not be written: the reader can put that right.
        print(f"{error.filename or 'a file'}: {error.strerror or type(error).__name__}", file=sys.stderr)
        return TimelineError.exit_status
    except Exception as error:
        if os.environ.get("TIMELINE_DEBUG"):
            raise
        print(our_fault(error), file=sys.stderr)
        return OUR_FAULT


def _complain(error: TimelineError, wants_json: bool) -> int:
    print(error, file=sys.stderr)
    if wants_json:
        from timeline import printing

        findings = error.findings if isinstance(error, Findings) else ()
        print(printing.as_json({"error": str(error), "findings": findings, "exit_status": error.exit_status}))
    return error.exit_status


def our_fault(error: Exception) -> str:
    """Return what to say of an error that nobody foresaw; not its own text, which may hold a patient's values."""
    import traceback

    package = os.path.dirname(os.path.abspath(__file__))
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(package)]
    place = f" in {os.path.basename(ours[-1].filename)}, line {ours[-1].lineno}" if ours else ""
    return (
        f"This should not have happened and is a fault of timeline, not yours: {type(error).__name__}{place}.\n"
        "The study is as it was before. TIMELINE_DEBUG=1 shows the details (they may hold patients' values)."
    )
