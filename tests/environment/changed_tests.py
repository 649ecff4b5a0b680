# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the unit tests of what differs from a branch, and of the rooms that are built on it.

    python changed_tests.py CHECKOUT BASE [--integration] [PYTEST_ARGUMENT ...]

What has no unit test is named with the integration tests that mention it; --integration runs these too.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
from collections.abc import Iterable

from ansible_collections.securescan.kubernetes.tests.unit.architecture.imports import room_of
from ansible_collections.securescan.kubernetes.tests.unit.architecture.layers import ROOMS, Room, above

TREE = pathlib.Path(__file__).resolve().parents[2]
UNIT, INTEGRATION = pathlib.Path("tests/unit"), pathlib.Path("tests/integration")
# What has its tests elsewhere than where it lies.
ELSEWHERE = {
    "docs/": ("tests/unit/documentation",),
    "plugins/": ("tests/unit/architecture", "tests/unit/documentation"),
    "profiles/": ("tests/unit/plugins/module_utils/profiles", "tests/unit/plugins/module_utils/judging"),
    "tests/cluster/": ("tests/unit/tests_cluster",),
    "tests/saf/": ("tests/unit/tests_saf",),
}


def changed_files(checkout: pathlib.Path, base: str) -> list[str]:
    """The files that differ from where `base` was left, committed or not; new ones too. Raises CalledProcessError."""

    def git(*arguments: str) -> list[str]:
        command = ["git", "-C", str(checkout), *arguments]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")

    (left,) = git("merge-base", base, "HEAD")[:1]
    names = {*git("diff", "--name-only", left), *git("ls-files", "--others", "--exclude-standard")}
    return sorted(names - {""})


def rooms_of(names: Iterable[str]) -> set[str]:
    """The names of the rooms that these files are in."""
    paths = {room_of(name[len("plugins/") :]) for name in names if name.startswith("plugins/")}
    return {room.name for room in ROOMS if room.path in paths}


def unit_tests_of(room: Room, tree: pathlib.Path = TREE) -> list[str]:
    """The folder of a room's unit tests, or for a room of one file the tests that are called like it."""
    place = UNIT / "plugins" / room.path
    if place.suffix:
        found = sorted((tree / place.parent).glob(f"test_*{place.stem}*.py"))
    else:
        found = [tree / place] if (tree / place).is_dir() else []
    return [path.relative_to(tree).as_posix() for path in found]


def tests_that_mention(word: str, below: pathlib.Path, tree: pathlib.Path = TREE) -> list[str]:
    """The test files below a folder in which a word stands as a whole."""
    pattern = re.compile(rf"\b{re.escape(word)}\b")
    return [
        path.relative_to(tree).as_posix()
        for path in sorted((tree / below).rglob("test_*.py"))
        if pattern.search(path.read_text(encoding="utf-8"))
    ]


def unit_tests(names: list[str], tree: pathlib.Path = TREE) -> list[str]:
    """Folders and files of unit tests that are to be run after a change of these files."""
    found: set[str] = set()
    touched = above(rooms_of(names))
    for room in ROOMS:
        if room.name in touched:
            found.update(unit_tests_of(room, tree))
    for name in names:
        for start, folders in ELSEWHERE.items():
            if name.startswith(start):
                found.update(folders)
        path = pathlib.Path(name)
        if name.startswith("tests/unit/"):
            found.add(name if path.name.startswith("test_") else path.parent.as_posix())
        elif name.startswith(("tests/support/", "tests/fake_api_server/")):
            word = path.parent.name if path.parent.name == "fake_api_server" else path.stem
            found.update(tests_that_mention(word, UNIT, tree))
    present = {name for name in found if (tree / name).exists()}
    return sorted(
        name
        for name in present
        if not any(name.startswith(other + "/") for other in present if other != name)
    )


def integration_tests(names: list[str], tree: pathlib.Path = TREE) -> list[str]:
    """Integration tests of what has no unit test: they changed themselves, or mention a changed room, role or playbook."""
    found = {name for name in names if name.startswith("tests/integration/") and "/test_" in name}
    for room in ROOMS:
        if room.name in rooms_of(names) and not unit_tests_of(room, tree):
            found.update(tests_that_mention(f"module_utils.{room.name}", INTEGRATION, tree))
    for name in names:
        path = pathlib.Path(name)
        if name.startswith(("plugins/modules/", "plugins/action/", "playbooks/")):
            found.update(tests_that_mention(path.stem, INTEGRATION, tree))
        elif name.startswith(("roles/", "molecule/")):
            found.add("tests/integration/test_molecule.py")
        elif name.startswith("tests/support/"):
            found.update(tests_that_mention(path.stem, INTEGRATION, tree))
    return sorted(name for name in found if (tree / name).exists())


def main(arguments: list[str]) -> int:
    checkout, base, *others = arguments
    names = changed_files(pathlib.Path(checkout), base)
    units, integrations = unit_tests(names), integration_tests(names)
    chosen = units + (integrations if "--integration" in others else [])
    print(f"==> {len(names)} files differ from {base}", flush=True)
    if integrations and "--integration" not in others:
        print("==> not run (add PYTEST_ARGS=--integration): " + " ".join(integrations), flush=True)
    if not chosen:
        print("==> nothing to run")
        return 0
    print("==> " + " ".join(chosen), flush=True)
    options = [argument for argument in others if argument != "--integration"] or ["-q", "-n2"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "not in_container"]
    return subprocess.run([*command, *options, *chosen], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
