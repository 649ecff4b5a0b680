# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test sanity on each ansible-core that the collection claims, without an ignore file.

    python sanity.py [--quick] [CORE ...]        for example 2.19; all of them when none is named

--quick leaves out the two tests that take most of the time: pylint, and the import on every Python.
Its environments, which it names by their content, are kept in the cache.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ansible_collections.securescan.kubernetes.tests.environment import interpreters
from ansible_collections.securescan.kubernetes.tests.environment.python_environment import ensure_environment
from ansible_collections.securescan.kubernetes.tests.quality import ansible_test, compatibility_page

TESTS = pathlib.Path(__file__).resolve().parents[1]


# ansible-core, and the Pythons of the controller that it is run with
CORES = (
    ("2.16", "3.10"),
    ("2.18", "3.11"),
    ("2.19", "3.11"),
    ("2.20", "3.12"),
    ("2.21", "3.12"),
    ("2.21", "3.13"),
)
SLOW_TESTS = ("pylint", "import")


@dataclass
class SanityRun:
    core: str
    python: str
    status: int = 1
    output: str = ""
    seconds: float = 0.0
    tests: list[str] = field(default_factory=list)

    @property
    def findings(self) -> list[str]:
        return re.findall(r"^(?:ERROR|FATAL): .+", self.output, re.MULTILINE)

    @property
    def imported_on(self) -> str:
        versions = re.findall(r'^Running sanity test "import" on Python (\S+)', self.output, re.MULTILINE)
        return ", ".join(dict.fromkeys(versions))


def run_sanity(core: str, python: str, options: Sequence[str] = ()) -> SanityRun:
    """One run over a copy of the tree. Raises LookupError where the machine does not have this Python."""
    interpreter = interpreters.interpreter(python)
    if interpreter is None:
        raise LookupError(f"this machine has no Python {python}")
    environment = ensure_environment(TESTS / "quality" / (f"ansible-core-{core}.txt"), interpreter)
    run, started = SanityRun(core, python), time.monotonic()
    done = ansible_test.run(environment, "sanity", "--local", "--color", "no", *options)
    run.status, run.output, run.seconds = done.returncode, done.stdout, time.monotonic() - started
    run.tests = sorted(set(re.findall(r'^Running sanity test "([^"]+)"', run.output, re.MULTILINE)))
    return run


def main() -> int:
    parser = argparse.ArgumentParser(description="ansible-test sanity, without an ignore file.")
    parser.add_argument("--quick", action="store_true", help="without {}".format(" and ".join(SLOW_TESTS)))
    parser.add_argument("core", nargs="*", choices=[[], *sorted({core for core, _python in CORES})])
    chosen = parser.parse_args()
    left_out = [part for test in SLOW_TESTS for part in ("--skip-test", test)] if chosen.quick else []
    rows, failed = [], False
    for core, python in CORES:
        if chosen.core and core not in chosen.core:
            continue
        print(f"==> ansible-test sanity: ansible-core {core}, Python {python}", flush=True)
        run = run_sanity(core, python, left_out)
        failed = failed or run.status != 0
        if run.status:
            print("\n".join(run.findings) or run.output[-4000:])
        print(
            "==> {}: {} tests in {:.0f} s".format(
                "FAILED" if run.status else "clean", len(run.tests), run.seconds
            ),
            flush=True,
        )
        rows.append((core, python, run.imported_on, str(len(run.tests)), "failed" if run.status else "clean"))
    if not (failed or chosen.core or chosen.quick):
        columns = ("ansible-core", "controller's Python", "imported on", "tests", "result")
        if not compatibility_page.record(compatibility_page.SANITY, columns, rows):
            print(
                "==> FAILED: docs/evidence/compatibility.md says something else; run again with "
                "SECURESCAN_WRITE_DOCS=1"
            )
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
