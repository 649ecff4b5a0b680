# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of a pod's memory: by cgroup v1 and v2, in each shell, and never by a guess."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Query
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.frames import Frame
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.script import build_script
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.target_root import ROOM
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.view import (
    TargetView,
    check_entered,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.targets.quantities import memory_limit

SHELLS = [
    shell
    for shell in (("dash",), ("bash", "--posix"), ("busybox", "sh"), ("mksh",))
    if shutil.which(shell[0])
]
V1, V2 = "memory/memory.usage_in_bytes", "memory.current"
V1_STAT = "inactive_file 1\nactive_file 1\ntotal_rss 7\ntotal_inactive_file %d\ntotal_active_file %d\n"
V2_STAT = "anon 1\ninactive_file %d\nactive_file %d\nslab_reclaimable 2000000\nslab_unreclaimable 9\n"
GIB = 2**30


def say(shell, folder, limit, headroom):
    """What the function refuses with, "" where it goes on."""
    figures = f"{limit // 1000} {headroom // 1000}"
    script = f"nl='\n'\nrefuse() {{ echo \"$1 $2\"; exit 0; }}\n{ROOM}\nroom {figures}\ntrue\n"
    done = subprocess.run([*shell], input=script, cwd=folder, capture_output=True, text=True, check=False)
    assert done.stderr == "" and done.returncode == 0, done
    return done.stdout.strip()


def cgroup(folder, usage, text, stat):
    path = folder / "sys" / "fs" / "cgroup" / usage
    path.parent.mkdir(parents=True)
    path.write_text(text)
    if stat is not None:
        (path.parent / "memory.stat").write_text(stat)
    return folder


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
@pytest.mark.parametrize(
    ("usage", "stat", "used"), [(V1, V1_STAT, 300 * GIB - 5 * 10**9), (V2, V2_STAT, 300 * GIB - 5002 * 10**6)]
)
def test_what_files_take_is_not_counted(tmp_path, shell, usage, stat, used):
    there = cgroup(tmp_path, usage, f"{300 * GIB}\n", stat % (4 * 10**9, 10**9))
    assert say(shell, there, used + 20 * 10**6, 16 * 10**6) == ""
    refused = say(shell, there, used + 10 * 10**6, 16 * 10**6).split()
    assert refused[0] == "too_large" and abs(int(refused[1]) - used // 1000) < 5
    assert say(shell, there, used // 2, 16 * 10**6), "more than the limit"


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
@pytest.mark.parametrize(
    ("usage", "text", "stat"),
    [
        (V1, "99999999\n", None),
        (V1, "99999999\n", "inactive_file 1\nactive_file 1\n"),
        (V1, "", V1_STAT % (1, 1)),
        (V1, "a[$(id)]\n", V1_STAT % (1, 1)),
        (V1, "0\n", V1_STAT % (1, 1)),
        (V1, "9" * 40, V1_STAT % (1, 1)),
        (V1, "-99999999\n", V1_STAT % (1, 1)),
        (V2, "max\n", V2_STAT % (1, 1)),
        (V2, "99999999\n", ""),
        (V2, "99999999\n", "inactive_file 0x10\n"),
        (V2, "99999999\n", "inactive_file a[$(id)]\n"),
        (V2, "99999999\n", "inactive_file 010\n"),
        ("other", "99999999\n", V2_STAT % (1, 1)),
    ],
)
def test_nothing_is_refused_on_a_guess(tmp_path, shell, usage, text, stat):
    assert say(shell, cgroup(tmp_path, usage, text, stat), 64 * 10**6, 16 * 10**6) == ""


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_a_link_is_not_followed(tmp_path, shell):
    there = cgroup(tmp_path, V1, "99999999\n", V1_STAT % (1, 1))
    path = there / "sys" / "fs" / "cgroup" / V1
    path.rename(path.with_name("other"))
    path.symlink_to("other")
    assert say(shell, there, 64 * 10**6, 16 * 10**6) == ""


def test_it_is_asked_for_only_where_there_is_a_limit():
    request = make_request([Query("os")])
    with_limit = build_script(
        request, "ab" * 16, TargetView(container_id="ab" * 32, memory_limit=64 << 20, headroom=16 << 20)
    )
    assert b"\nroom 67108 16778\n" in with_limit and b"room()" in with_limit
    assert b"room" not in build_script(request, "ab" * 16, TargetView(container_id="ab" * 32))
    with pytest.raises(ValueError, match="only beside"):
        TargetView(memory_limit=1)


def test_the_refusal_has_the_figures():
    view = TargetView(container_id="ab" * 32, memory_limit=64 << 20, headroom=16 << 20)
    with pytest.raises(ScanError) as caught:
        check_entered(Frame("collector", "too_large", "text", b"52429"), view)
    assert caught.value.reason == "memory_short"
    assert caught.value.message == (
        "the target takes 50.0 MiB of the 64.0 MiB that its pod may take; 16.0 MiB are to be left for the "
        "scan"
    )


def limited(memory=None, **fields):
    return dict({"resources": {"limits": {"memory": memory}} if memory else {}}, **fields)


@pytest.mark.parametrize(
    ("spec", "limit"),
    [
        ({"containers": [limited("64Mi")]}, 64),
        ({"containers": [limited("64Mi"), limited("32Mi")]}, 96),
        ({"containers": [limited("64Mi"), limited()]}, 0),
        ({"containers": [limited()]}, 0),
        ({"containers": [limited("much")]}, 0),
        ({"containers": [limited("64Mi")], "initContainers": [limited("128Mi")]}, 128),
        ({"containers": [limited("64Mi")], "initContainers": [limited()]}, 0),
        (
            {
                "containers": [limited("64Mi")],
                "initContainers": [limited("16Mi", restartPolicy="Always"), limited("8Mi")],
            },
            80,
        ),
        (
            {
                "containers": [limited("64Mi")],
                "initContainers": [limited("16Mi", restartPolicy="Always"), limited("80Mi")],
            },
            96,
        ),
        ({"containers": [limited()], "resources": {"limits": {"memory": "1Gi"}}}, 1024),
        ({"containers": [limited("64Mi")], "overhead": {"memory": "10Mi", "cpu": "1"}}, 74),
        ({"containers": [limited("64Mi")], "ephemeralContainers": [{"name": "x"}]}, 64),
    ],
)
def test_the_limit_of_a_pod_is_that_of_its_cgroup(spec, limit):
    assert memory_limit({"spec": spec}) == limit << 20
