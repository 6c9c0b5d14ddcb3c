"""Runs one ``matinee`` command in this process and notes what it took, apart from its tools.

``python -m benchmarks.inside REPORT ARGUMENT...``
"""

import json
import resource
import sys
from pathlib import Path


def main() -> None:
    """Run the command; the report is written however it ends."""
    report = Path(sys.argv[1])
    sys.argv = ["matinee", *sys.argv[2:]]
    try:
        from matinee.apps.cli.main import end, run  # noqa: PLC0415

        code = run()
    finally:
        own = resource.getrusage(resource.RUSAGE_SELF)
        tools = resource.getrusage(resource.RUSAGE_CHILDREN)
        report.write_text(
            json.dumps(
                {
                    "controller_cpu_s": own.ru_utime + own.ru_stime,
                    "controller_peak_bytes": _peak_bytes() or own.ru_maxrss * 1024,
                    "tool_peak_bytes": tools.ru_maxrss * 1024,
                }
            )
        )
    end(code)


def _peak_bytes() -> int:
    """The largest resident size since this program began; 0 where none tells.

    ``ru_maxrss`` would also count the process that started this one.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


if __name__ == "__main__":
    main()
