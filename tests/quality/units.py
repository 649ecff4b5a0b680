# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test units, as contributors of other collections run unit tests.

python units.py [--quiet] [PATH ...]        for example tests/unit/plugins/filter/; tests/unit/plugins/ when none is named
"""

from __future__ import annotations

import argparse
import pathlib
import sys

from ansible_collections.securescan.kubernetes.tests.environment.python_environment import ensure_environment
from ansible_collections.securescan.kubernetes.tests.quality import ansible_test

TESTS = pathlib.Path(__file__).resolve().parents[1]


def main() -> int:
    parser = argparse.ArgumentParser(description="ansible-test units.")
    parser.add_argument("--quiet", action="store_true", help="print its output when it fails only")
    parser.add_argument("path", nargs="*", default=["tests/unit/plugins/"])
    chosen = parser.parse_args()
    environment = ensure_environment(TESTS / "quality" / "ansible-units.txt", sys.executable)
    version = "{}.{}".format(*sys.version_info[:2])
    done = ansible_test.run(
        environment, "units", "--local", "--python", version, "--color", "no", *chosen.path
    )
    if chosen.quiet and done.returncode == 0:
        print("\n".join(line for line in done.stdout.splitlines() if " passed" in line))
    else:
        print(done.stdout, end="")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
