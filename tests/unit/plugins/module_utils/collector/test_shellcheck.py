# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every shell text that a container is given, read by shellcheck: each family alone, and all together, in each view."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.approaches.debug_end import (
    END_SCRIPT,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.commands import join_command
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Query
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.families import FAMILIES
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.script import build_script
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.view import INSIDE, TargetView
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.own_containers import IDLE

VIEWS = {
    "inside": INSIDE,
    "beside": TargetView(container_id="ab" * 32, memory_limit=2**30, headroom=2**24),
    "mounted": TargetView(mount_point="/mnt/image-1"),
}
WALKS = [
    Query("walk", "/usr", (("match", match),)) for match in ("setuid", "setgid", "world_writable", "unowned")
]
SUBJECTS = {
    "file": "/etc/motd",
    "content": "/etc/motd",
    "sha256": "/etc/motd",
    "readable": "/etc/motd",
    "listing": "/usr",
    "sysctl": "kernel.pid_max",
    "python_packages": "/usr",
    "environment_value": "PATH",
    "command": join_command(["id", "-u"]),
}
QUERIES = {kind: WALKS if kind == "walk" else [Query(kind, SUBJECTS.get(kind, ""))] for kind in FAMILIES}
# What is not looked for, and why.
ALLOWED = {
    "SC1007": "`a= b=` empties two variables; no program is run",
    "SC2016": "'$6$' in single quotes is how a password hash begins, not a variable",
    "SC2017": "a limit is rounded down to whole groups of four before it is multiplied",
    "SC2041": "a loop over paths that are quoted, not over what a program prints",
    "SC2043": "a loop over what a request asks for has one turn where it asks for one thing",
    "SC2046": "the list of processes is meant to be split",
    "SC2329": "each script has the functions that all views and families share, whether it calls them or not",
    "SC3028": "HOSTTYPE is asked only where BASH_VERSION says that the shell is bash",
    "SC3041": "set +U is run only where KSH_VERSION says that the shell is mksh",
    "SC3067": "dash, bash, busybox ash and mksh know test -O",
    "SC3044": "shopt is run only where BASH_VERSION says that the shell is bash",
    "SC3045": "read -d is tried first on /dev/null, and used where the shell knows it",
}
# Numbers, our own words and our own lists need no quotes (SC2086); what the container says always has them.
QUOTED = {"path", "own_path", "text", "line", "cause", "output"}
# Fields that a line of /proc or of a database has, and nobody asks for (SC2034).
UNUSED = {"unused"}

# These run beside the tests that run shells: they take as long, and do not depend on the Python either.
SLOW = pytest.mark.in_container


@pytest.fixture(scope="module", autouse=True)
def _shellcheck() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is part of the test environment, not of this one")


def _findings(text: bytes, dialect: str = "sh", *, whole: bool = True) -> list[str]:
    """What shellcheck says of a text and is not allowed: `line N: SCnnnn message`.

    :param whole: the text uses all that it sets; the quicker analysis of other texts follows no values
    """
    analysis = str(whole).lower()
    done = subprocess.run(
        ["shellcheck", "--norc", f"--extended-analysis={analysis}", "-s", dialect, "-f", "json1", "-"],
        input=text,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode in (0, 1), done.stderr
    lines = text.decode().split("\n")
    return [
        "line {line}: SC{code} {message}".format(**comment)
        for comment in json.loads(done.stdout)["comments"]
        if not _is_allowed(comment, lines, whole)
    ]


def _is_allowed(comment: dict, lines: Sequence[str], whole: bool) -> bool:
    code = "SC{code}".format(**comment)
    if code == "SC2086":
        word = lines[comment["line"] - 1][comment["column"] - 1 : comment["endColumn"] - 1]
        return re.sub(r"[^a-z_].*", "", word.lstrip("${#")) not in QUOTED
    if code == "SC2034":
        return not whole or comment["message"].split(" ")[0] in UNUSED
    return code in ALLOWED


@SLOW
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("kind", FAMILIES)
def test_each_kind_alone_is_clean_shell_in_each_view(kind: str, view: str) -> None:
    script = build_script(make_request(QUERIES[kind]), "0123456789abcdef", VIEWS[view])
    assert _findings(script, whole=False) == []


@SLOW
@pytest.mark.parametrize(
    ("view", "dialect"),
    [*((view, "sh") for view in VIEWS), ("inside", "busybox"), ("inside", "bash")],
)
def test_all_kinds_together_are_clean_shell(view: str, dialect: str) -> None:
    everything = [query for queries in QUERIES.values() for query in queries]
    assert _findings(build_script(make_request(everything), "0123456789abcdef", VIEWS[view]), dialect) == []


@pytest.mark.parametrize("dialect", ["sh", "busybox", "bash"])
@pytest.mark.parametrize("text", [END_SCRIPT, IDLE[2].encode()], ids=["end", "idle"])
def test_what_a_container_of_ours_runs_is_clean_shell(text: bytes, dialect: str) -> None:
    assert _findings(text, dialect) == []


@pytest.mark.parametrize(
    "text",
    ["grep x $path", 'echo "${nowhere}"', "rm -rf $cause", "mine=1", "[[ -e /x ]]"],
)
def test_a_defect_is_found(text: str) -> None:
    assert _findings(text.encode()) != []


def test_no_long_name_is_sent_and_none_has_the_short_name_of_another() -> None:
    everything = make_request([query for queries in QUERIES.values() for query in queries])
    for view in VIEWS.values():
        script = build_script(everything, "0123456789abcdef", view)
        assert b"__" not in script
        functions, main = script.split(b"\nmain() {\n")
        assert re.findall(rb"^unset (.*)$", functions, re.MULTILINE)[-1].startswith(b"a b c ")
        # main is not shortened: what it sets must be nobody's short name
        assert not re.findall(rb"\b(?:for )?([A-Za-z][A-Z]?)(?:=| in )", main)
