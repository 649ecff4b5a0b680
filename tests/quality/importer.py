# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the collection's archive and has Galaxy's importer look at it. Exits 0 when it finds nothing, not even a warning."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
import tempfile

TREE = pathlib.Path(__file__).resolve().parents[2]


def main() -> int:
    programs = pathlib.Path(sys.executable).parent
    with tempfile.TemporaryDirectory(prefix="importer-") as folder:
        subprocess.run(
            [str(programs / "ansible-galaxy"), "collection", "build", "--output-path", folder],
            cwd=TREE,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        archive = next(pathlib.Path(folder).glob("*.tar.gz"))
        # required tags and ansible-lint's production profile are what certification asks for
        environ = dict(
            os.environ, GALAXY_IMPORTER_CHECK_REQUIRED_TAGS="true", GALAXY_IMPORTER_TMP_ROOT_DIR=folder
        )
        done = subprocess.run(
            [sys.executable, "-m", "galaxy_importer.main", str(archive)],
            cwd=folder,
            check=False,
            text=True,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    findings = re.findall(r"^(?:WARNING|ERROR|CRITICAL): .*", done.stdout, re.MULTILINE)
    if done.returncode or findings or "Importer processing completed successfully" not in done.stdout:
        print("\n".join(findings) or done.stdout[-3000:])
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
