"""Builds the wheel, installs it in an environment without the tools of development, runs the demo from another folder.

Minutes, so not among the tests: CI runs it. A release that works only in its own checkout is noticed here.
"""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Raise CalledProcessError, with the command, where a step fails; print what was done."""
    with tempfile.TemporaryDirectory() as folder:
        elsewhere, wheels = Path(folder) / "elsewhere", Path(folder) / "wheels"
        elsewhere.mkdir()
        pip = ["-m", "pip", "--quiet", "--disable-pip-version-check"]
        build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT)]
        subprocess.run([sys.executable, *pip, *build], check=True)
        wheel = next(wheels.glob("clinical_timeline-*.whl"))
        venv.create(Path(folder) / "venv", with_pip=True)
        python = str(Path(folder) / "venv" / "bin" / "python")
        requirements = ["install", "--require-hashes", "--requirement", str(ROOT / "requirements.txt")]
        subprocess.run([python, *pip, *requirements], check=True)
        subprocess.run([python, *pip, "install", "--no-deps", str(wheel)], check=True)
        timeline = str(Path(folder) / "venv" / "bin" / "timeline")
        subprocess.run([timeline, "demo", "--out", "demo"], cwd=elsewhere, check=True)
        for made in ("study.duckdb", "report.html"):
            assert (elsewhere / "demo" / made).stat().st_size > 0, f"{made} is missing or empty"
        subprocess.run([timeline, "check"], cwd=elsewhere, check=True)
        print(f"{wheel.name} works where it is installed")


if __name__ == "__main__":
    main()
