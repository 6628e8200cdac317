"""`python -m timeline` and the command `timeline`: hands over to `cli`, knows nothing else."""

import os
import sys
import warnings


def main() -> None:
    """Run the command line and leave with its exit status."""
    from timeline.cli import main as run

    if not (sys.warnoptions or os.environ.get("TIMELINE_DEBUG")):
        # A library's warning to programmers is nothing that the reader of a terminal can act on; tests fail on each.
        warnings.simplefilter("ignore")
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
