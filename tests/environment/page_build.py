# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the page report.html of its source in page/, and writes it into the collection.

    python3 page_build.py CHECKOUT

Modules that run elsewhere take Python files along and nothing else, so the built page is a Python file: page_file.py. The
packages of the build are installed once for each package-lock.json, outside the tree.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import zlib
from pathlib import Path

PINS = ("package.json", "package-lock.json", ".npmrc")
WRITTEN = "plugins/module_utils/reports/page_file.py"
_SECONDS = 300
_HEAD = '''# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built page report.html, without data: what `make page` makes of page/. A test builds it again and compares.

It is a Python file because a module that runs on another machine takes no other files along.
"""

from __future__ import annotations

import base64
import zlib


def page_template() -> str:
    """The page as HTML, in which the place of the data is marked."""
    return zlib.decompress(base64.b64decode("".join(_PACKED.split()))).decode("utf-8")


_PACKED = """
'''


def cache_root() -> Path:
    """The cache folder: SECURESCAN_CACHE, or .cache/securescan-kubernetes in the home folder."""
    chosen = os.environ.get("SECURESCAN_CACHE")
    return Path(chosen).resolve() if chosen else Path.home() / ".cache" / "securescan-kubernetes"


def node_modules(page: Path) -> Path:
    """The installed packages of page/, in a folder that is named by a hash of its pins and appears when it is whole."""
    digest = hashlib.sha256(b"\0".join((page / name).read_bytes() for name in PINS)).hexdigest()[:16]
    folder = cache_root() / "page" / digest
    if folder.is_dir():
        return folder / "node_modules"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{digest}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():  # another process may have made it while this one waited
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{digest}.part.") as name:
                part = Path(name) / "page"
                part.mkdir()
                for pin in PINS:
                    shutil.copy(page / pin, part / pin)
                _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], part)
                part.rename(folder)
    return folder / "node_modules"


def build(page: Path, check_types: bool = False) -> str:
    """The page that page/ makes, as HTML."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "page"
        shutil.copytree(page, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
        (copy / "node_modules").symlink_to(node_modules(page))
        if check_types:
            _run(["node_modules/.bin/tsc", "--noEmit"], copy)
        _run(["node_modules/.bin/vite", "build", "--logLevel", "warn"], copy)
        return (copy / "dist" / "index.html").read_text(encoding="utf-8")


def python_file(html: str) -> str:
    """The Python file that holds the page."""
    packed = base64.b64encode(zlib.compress(html.encode("utf-8"), 9)).decode("ascii")
    return _HEAD + "\n".join(textwrap.wrap(packed, 100)) + '\n"""\n'


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
        )
    except FileNotFoundError:
        raise SystemExit(f"page: {command[0]} is missing (Debian: nodejs, npm)") from None
    if done.returncode:
        raise SystemExit(
            f"page: {' '.join(command)} failed:\n{done.stdout.decode('utf-8', 'replace')[-6000:]}"
        )


def main() -> int:
    checkout = Path(sys.argv[1])
    html = build(checkout / "page", check_types=True)
    (checkout / WRITTEN).write_text(python_file(html), encoding="ascii")
    print(f"{WRITTEN}: a page of {len(html.encode()) // 1000} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
