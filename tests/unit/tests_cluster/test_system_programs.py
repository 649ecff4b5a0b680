# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test bed installs what it names, so each program that it names has its Debian package."""

from __future__ import annotations

import ast
import pathlib
import sys
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="the tools of the test bed run on Python 3.11"
)

CLUSTER = pathlib.Path(__file__).resolve().parents[2] / "cluster"
# These are part of every Debian, or come with what makes the image.
ALWAYS_THERE = {"sh", "chroot"}


def named_programs() -> Iterator[tuple[str, str]]:
    """(file and line, program) of each program that a call of ensure, path_of or _run names."""
    for path in sorted(CLUSTER.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and call.args:
                for program in programs_of(call):
                    yield f"{path.relative_to(CLUSTER)}:{call.lineno}", program


def programs_of(call: ast.Call) -> list[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    first = call.args[0]
    if name == "path_of":
        return literals([first])
    if name in ("ensure", "_run") and isinstance(first, ast.List):
        return literals(first.elts if name == "ensure" else first.elts[:1])
    return []


def literals(nodes: list[ast.expr]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def test_each_program_that_the_test_bed_names_has_a_package():
    from ansible_collections.securescan.kubernetes.tests.cluster.debian_packages import PACKAGE_OF

    named = list(named_programs())

    assert {program for _, program in named} >= {"debootstrap", "rpm", "rpmbuild", "gcc", "unshare"}
    assert [
        (where, program)
        for where, program in named
        if program not in PACKAGE_OF and program not in ALWAYS_THERE
    ] == []
