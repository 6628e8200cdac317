"""`python -m timeline` and the command `timeline`: hands over to `cli`, knows nothing else."""

import sys


def main() -> None:
    """Run the command line and leave with its exit status."""
    from timeline.cli import main as run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
