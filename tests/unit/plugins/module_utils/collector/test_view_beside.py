# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target that runs beside the collector, in the same process namespace: the same facts as from inside, and nothing of
the scanner's."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.collect import read_facts
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import (
    ABSENT,
    OK,
    UNREADABLE,
    UNSUPPORTED,
    Query,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.request import make_request
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.script import build_script
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.view import TargetView
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    CELLS,
    NONCE,
    Container,
)
from ansible_collections.securescan.kubernetes.tests.support.shared_processes import (
    CGROUPS,
    NAMELESS,
    OTHER_ID,
    PAUSE_ID,
    SCANNER_ID,
    TARGET_ID,
    Process,
    SharedProcesses,
)
from ansible_collections.securescan.kubernetes.tests.support.viewed_target import (
    QUERIES,
    SCANNERS_OWN,
    MakeContainer,
    differences,
    fill,
    fill_scanner,
    shown,
)

pytestmark = pytest.mark.in_container

VIEW = TargetView(container_id=TARGET_ID)
PROCESS = [
    *map(Query, ("environment", "process_status", "mounts", "sockets", "processes")),
    Query("sysctl", "kernel.pid_max"),
    Query("sysctl", "net.ipv4.ip_forward"),
    Query("content", "/proc/mounts"),
    Query("content", "/proc/self/mounts"),
    Query("content", "/proc/1/cmdline"),
    Query("file", "/proc/1/nothing"),
    Query("file", "/proc/sys/kernel/ostype"),
    *(
        Query("readable", path)
        for path in ("/etc/motd", "/etc/shadow", "/private/file", "/closed/inner/file", "/no")
    ),
]
SECRET = {"SECRET": SCANNERS_OWN}


class Pod(NamedTuple):
    shared: SharedProcesses
    target: Container
    scanner: Container
    main: Process

    def start(self, *argv: str, **identity: int) -> Process:
        """A further process of the target."""
        process = self.shared.start(self.target, *argv, **identity)
        self.shared.tell(self.scanner, {process.pid: _cgroup(TARGET_ID)})
        return process


MakePod = Callable[..., Pod]


def _cgroup(container_id: str, form: str = "v2 with a namespace") -> str:
    return CGROUPS[form].replace("%s", container_id)


@pytest.fixture
def make_pod(make_container: MakeContainer, tmp_path: Path) -> Iterator[MakePod]:
    """A target whose program is process 1, and the scanner's container with a program of its own."""
    made: list[SharedProcesses] = []

    def make(
        shell: str = "dash", tools: str = "gnu", form: str = "v2 with a namespace", **identity: Any
    ) -> Pod:
        target, scanner = make_container(shell, tools), make_container(shell, tools)
        fill(target)
        fill_scanner(scanner)
        for container in (target, scanner):
            container.add_programs(shell, "gnu", ["sleep"])
        shared = SharedProcesses(tmp_path, target, "/bin/sleep", "600", **identity)
        made.append(shared)
        main = shared.start(scanner, "/bin/sleep", "700", env=SECRET)
        shared.tell(scanner, {1: _cgroup(TARGET_ID, form), main.pid: _cgroup(SCANNER_ID, form)})
        return Pod(shared, target, scanner, main)

    yield make
    for shared in made:
        shared.close()


@pytest.mark.parametrize(("shell", "tools"), [cell for cell in CELLS if cell[1] != "none"])
def test_the_same_from_inside_and_from_beside(make_pod: MakePod, shell: str, tools: str) -> None:
    pod = make_pod(shell, tools)
    pod.start("/bin/sleep", "601", uid=33, gid=33)
    pod.shared.listen(8080)
    queries = [*QUERIES, *PROCESS]
    inside = pod.shared.collect(pod.target, queries)
    outside = pod.shared.collect(pod.scanner, queries, VIEW, env=SECRET)
    assert SCANNERS_OWN not in shown(outside)
    assert [row["cmdline"] for row in outside["processes"].value] == [
        ["/bin/sleep", "600"],
        ["/bin/sleep", "601"],
    ]
    inside.by_key["processes"].value[:] = [
        row for row in inside["processes"].value if row["pid"] != pod.main.pid
    ]
    assert differences(inside, outside) == []
    assert [row["port"] for row in outside["sockets"].value] == [8080]
    assert sum(fact.status == OK for fact in outside.values()) > 70


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox", "mksh"])
def test_what_a_group_of_the_target_could_read_is_not_called_unreadable(
    make_pod: MakePod, shell: str
) -> None:
    """The image's /etc/group puts the target in groups that the shell beside it is not in."""
    pod = make_pod(shell, "busybox" if shell == "busybox" else "gnu", groups="42")
    queries = [Query("readable", path) for path in ("/etc/motd", "/etc/shadow", "/no")]
    facts = pod.shared.collect(pod.scanner, queries, VIEW)
    assert facts["readable:/etc/motd"].value == {"readable": True, "refusal": ""}
    assert facts["readable:/etc/shadow"].status == UNSUPPORTED
    assert facts["readable:/no"].status == ABSENT


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox", "mksh"])
def test_what_another_root_of_the_target_could_read_is_not_called_unreadable(
    make_pod: MakePod, shell: str
) -> None:
    """Its main process has put its capabilities off, and others of its container can still have them."""
    pod = make_pod(shell, "busybox" if shell == "busybox" else "gnu")
    own = re.search(r"CapBnd:\t(\w+)", Path("/proc/self/status").read_text(encoding="ascii"))
    assert own
    for user, bound, status in (
        (0, "0000000000000001", UNSUPPORTED),
        (0, "8000000000000000", UNSUPPORTED),
        (0, own.group(1), OK),
        (0, "0" * 16, OK),
        (1000, "0000000000000001", OK),
    ):
        told = (
            f"Name:\tapp\nUid:\t{user}\t{user}\t0\t0\nGroups:\t \nCapEff:\t0\nCapBnd:\t{bound}\nSeccomp:\t2\n"
        )
        pod.shared.tell(pod.scanner, {1: told}, "status")
        facts = pod.shared.collect(
            pod.scanner, [Query("readable", path) for path in ("/etc/shadow", "/etc/motd")], VIEW
        )
        assert facts["readable:/etc/shadow"].status == status, (user, bound)
        assert facts["readable:/etc/motd"].value == {"readable": True, "refusal": ""}


@pytest.mark.parametrize("shell", ["dash", "bash", "mksh"])
def test_without_any_program(make_pod: MakePod, shell: str) -> None:
    pod = make_pod(shell, "none")
    queries = [*QUERIES, *PROCESS]
    inside = pod.shared.collect(pod.target, queries)
    outside = pod.shared.collect(pod.scanner, queries, VIEW, env=SECRET)
    assert SCANNERS_OWN not in shown(outside)
    for key, inner, outer in differences(inside, outside):
        assert (
            key == "processes"
            or (outer.status, outer.value) == (UNREADABLE, None)
            or inner.status == UNSUPPORTED
        ), key
    assert outside["content:/etc/motd[limit=5000]"].value == b"the target's\n"


@pytest.mark.parametrize("tools", ["gnu", "none"])
@pytest.mark.parametrize("form", CGROUPS)
def test_shared_by_the_whole_pod(
    make_container: MakeContainer, tmp_path: Path, form: str, tools: str
) -> None:
    """Process 1 is the sandbox's; the target is found by its id, and only its processes are listed."""
    pause, other, target, scanner = (make_container("bash", tools) for _number in range(4))
    for container in (pause, other, target, scanner):
        container.add_programs("bash", "gnu", ["sleep"])
    fill(target)
    fill_scanner(scanner)
    shared = SharedProcesses(tmp_path, pause, "/bin/sleep", "1000", uid=65535, gid=65535)
    try:
        processes = {1: PAUSE_ID}
        in_order = [
            (other, "1001", OTHER_ID),
            (target, "1002", TARGET_ID),
            (scanner, "1003", SCANNER_ID),
            (target, "1004", TARGET_ID),
            (other, "1005", OTHER_ID),
        ]
        for container, name, container_id in in_order:
            processes[shared.start(container, "/bin/sleep", name).pid] = container_id
        shared.tell(scanner, {pid: _cgroup(container_id, form) for pid, container_id in processes.items()})
        queries = [
            Query("content", "/etc/out"),
            Query("processes"),
            Query("environment"),
            Query("content", "/proc/self/cmdline"),
        ]
        facts = shared.collect(scanner, queries, VIEW)
        assert facts["content:/etc/out"].status == (OK if tools == "gnu" else UNREADABLE)
        assert [row["cmdline"][1] for row in facts["processes"].value] == ["1002", "1004"]
        if tools == "gnu":
            assert facts["content:/proc/self/cmdline"].value == b"/bin/sleep\x001002\0"
        with pytest.raises(ScanError) as error:
            shared.collect(scanner, queries, TargetView(container_id="f" * 64))
        assert error.value.reason == "target_missing"
    finally:
        shared.close()


def test_where_no_container_is_told_process_1_is_the_target(make_pod: MakePod) -> None:
    pod = make_pod()
    pod.shared.start(pod.target, "/bin/sleep", "601")
    pod.shared.tell(pod.scanner, {1: NAMELESS, pod.main.pid: NAMELESS})
    facts = pod.shared.collect(pod.scanner, [Query("content", "/etc/out"), Query("processes")], VIEW)
    assert facts["content:/etc/out"].value == b"the target's\n"
    assert [row["cmdline"][1] for row in facts["processes"].value] == ["600", "601"]


def test_where_no_container_is_told_the_pods_pause_is_not_the_target(
    make_container: MakeContainer, tmp_path: Path
) -> None:
    pause, scanner = make_container(), make_container()
    (pause.root / "bin/sleep").rename(pause.root / "bin/pause")
    shared = SharedProcesses(tmp_path, pause, "/bin/pause", "1000")
    try:
        main = shared.start(scanner, "/bin/sleep", "700")
        shared.tell(scanner, {1: NAMELESS, main.pid: NAMELESS})
        with pytest.raises(ScanError) as error:
            shared.collect(scanner, [Query("os")], VIEW)
        assert error.value.reason == "target_missing"
    finally:
        shared.close()


def test_the_scanners_own_process_is_never_the_target(make_container: MakeContainer, tmp_path: Path) -> None:
    """The process namespace was not joined: process 1 is the scanner's own."""
    scanner = make_container()
    shared = SharedProcesses(tmp_path, scanner, "/bin/sleep", "700")
    try:
        for told in (NAMELESS, _cgroup(SCANNER_ID), _cgroup(TARGET_ID)):
            shared.tell(scanner, {1: told})
            with pytest.raises(ScanError) as error:
                shared.collect(scanner, [Query("os")], VIEW)
            assert error.value.reason == "target_missing"
    finally:
        shared.close()


@pytest.mark.parametrize(
    ("theirs", "ours", "cause"),
    [
        ((1000, 2000), (1001, 2000), "has the UID 1000, the scanner has 1001"),
        ((1000, 2000), (1000, 2001), "has the GID 2000, the scanner has 2001"),
        ((0, 0), (1000, 0), "has the UID 0, the scanner has 1000"),
    ],
)
def test_another_identity_is_said_to_be_the_cause(
    make_pod: MakePod, theirs: Any, ours: Any, cause: str
) -> None:
    pod = make_pod(uid=theirs[0], gid=theirs[1])
    with pytest.raises(ScanError) as error:
        pod.shared.collect(pod.scanner, [Query("os")], VIEW, uid=ours[0], gid=ours[1])
    assert error.value.reason == "target_unreadable" and cause in error.value.cause
    assert "process 1" in error.value.message and error.value.advice


def test_a_process_that_is_not_dumpable_is_said_so(make_pod: MakePod) -> None:
    """Its program may be run by its user, and not read: the kernel then keeps the process to itself."""
    pod = make_pod()
    (pod.target.root / "bin/hidden").write_bytes((pod.target.root / "bin/sleep").read_bytes())
    (pod.target.root / "bin/hidden").chmod(0o711)
    process = pod.shared.start(pod.target, "/bin/hidden", "600")
    pod.shared.tell(pod.scanner, {1: _cgroup(OTHER_ID), process.pid: _cgroup(TARGET_ID)})
    with pytest.raises(ScanError) as error:
        pod.shared.collect(pod.scanner, [Query("os")], VIEW)
    assert error.value.reason == "target_unreadable" and "not dumpable" in error.value.cause


def test_more_capabilities_are_said_to_be_the_cause(make_pod: MakePod) -> None:
    pod = make_pod()
    argv = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--inh-caps=+net_raw",
        "--ambient-caps=+net_raw",
        "/bin/sleep",
        "600",
    ]
    pod.target.add_programs("dash", "gnu", ["setpriv"])
    process = pod.shared.start(pod.target, *argv, uid=0, gid=0)
    pod.shared.tell(pod.scanner, {1: _cgroup(OTHER_ID), process.pid: _cgroup(TARGET_ID)})
    with pytest.raises(ScanError) as error:
        pod.shared.collect(pod.scanner, [Query("os")], VIEW)
    assert (
        error.value.reason == "target_unreadable"
        and "capabilities that the scanner lacks (0x2000)" in error.value.cause
    )


def test_a_process_with_a_root_of_its_own_does_not_stand_for_its_container(make_pod: MakePod) -> None:
    """A program may show a harmless folder as its root; the kernel tells that nothing is mounted there."""
    pod = make_pod()
    pod.target.write("/jail/etc/passwd", "root:x:0:0::/:/bin/false\n")
    pod.target.write("/jail/bin/sleep", (pod.target.root / "bin/sleep").read_bytes(), mode=0o755)
    for folder in ("lib", "lib64"):
        if (pod.target.root / folder).is_dir():
            subprocess.run(
                ["cp", "-a", str(pod.target.root / folder), str(pod.target.root / "jail")], check=True
            )
    process = pod.shared.start(pod.target, "/bin/sleep", "600", chroot="/jail")
    pod.shared.tell(pod.scanner, {1: _cgroup(OTHER_ID), process.pid: _cgroup(TARGET_ID)})
    with pytest.raises(ScanError) as error:
        pod.shared.collect(pod.scanner, [Query("passwd")], VIEW)
    assert error.value.reason == "target_unreadable" and "root of its main process" in error.value.message


def test_a_main_process_in_a_user_namespace_of_its_own_is_refused(make_pod: MakePod) -> None:
    """In there it can mount over its files what it likes."""
    pod = make_pod()
    process = pod.shared.start(pod.target, "/bin/sleep", "600", makes_user_namespace=True)
    pod.shared.tell(pod.scanner, {1: _cgroup(OTHER_ID), process.pid: _cgroup(TARGET_ID)})
    with pytest.raises(ScanError) as error:
        pod.shared.collect(pod.scanner, [Query("passwd")], VIEW)
    assert error.value.reason == "target_unreadable" and "user namespace of its own" in error.value.message
    assert error.value.advice == "Scan the target by its image."


def test_a_worker_in_a_user_namespace_of_its_own_is_no_harm(make_pod: MakePod) -> None:
    pod = make_pod()
    worker = pod.shared.start(pod.target, "/bin/sleep", "601", makes_user_namespace=True)
    pod.shared.tell(pod.scanner, {worker.pid: _cgroup(TARGET_ID)})
    for container, view in ((pod.scanner, VIEW), (pod.target, TargetView())):
        assert pod.shared.collect(container, [Query("passwd")], view)["passwd"].status == OK


def test_what_is_mounted_over_folders_of_the_system_is_the_pods_or_refused(make_pod: MakePod) -> None:
    pod = make_pod()
    mount = 'mkdir "$0/clean" && mount --bind "$0/clean" "$0/etc/ssl" && mount -t tmpfs tmpfs "$0/usr/lib"'
    pod.target.write("/etc/ssl/x", "")
    enter = ["nsenter", "--target", str(pod.shared.first.outer), "--mount", "sh", "-c", mount]
    subprocess.run([*enter, str(pod.target.root)], check=True)

    def collect(container: Container, view: TargetView, *paths: str) -> Any:
        seen = dataclasses.replace(view, mount_paths=paths)
        return pod.shared.collect(container, [Query("os")], seen).collector["unexplained_mounts"]

    for whence in ((pod.scanner, VIEW), (pod.target, TargetView())):
        with pytest.raises(ScanError, match="something is mounted at '/usr/lib'"):
            collect(*whence, "/etc")
        with pytest.raises(ScanError, match="of its own files is mounted at '/etc/ssl'"):
            collect(*whence, "/lib")
        assert collect(*whence, "/lib/", "/etc/ssl") == []


@pytest.mark.parametrize(
    ("shell", "tools"), [("dash", "gnu"), ("bash", "gnu"), ("mksh", "gnu"), ("ash", "busybox")]
)
def test_a_shell_is_protected_where_nobody_can_read_its_programs(
    make_pod: MakePod, shell: str, tools: str
) -> None:
    pod = make_pod(shell, tools)
    queries = [
        Query("content", "/etc/out"),
        Query("processes"),
        Query("content", f"/proc/{pod.main.pid}/cmdline"),
    ]
    plain = pod.shared.collect(pod.scanner, queries, VIEW)
    assert plain.collector["shell_protected"] == "no"
    programs = [path for path in (pod.scanner.root / "bin").iterdir() if not path.is_symlink()]
    for path in programs:
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
        path.chmod(0o711)
    facts = pod.shared.collect(pod.scanner, queries, VIEW)
    assert facts.collector["shell_protected"] == "yes"
    assert facts.by_key == plain.by_key
    for path in programs:
        if path.name in facts.collector["programs"]:
            path.chmod(0o755)
            break
    assert pod.shared.collect(pod.scanner, queries, VIEW).collector["shell_protected"] == "no"


@pytest.mark.parametrize("shell", ["dash", "bash", "mksh", "ash"])
def test_a_shell_that_was_stopped_and_went_on_is_a_refusal(make_pod: MakePod, shell: str) -> None:
    """The signal that lets it go on is what it can notice, unless it comes before the trap is set. Many of them can break
    a shell (bash cannot read its trap amid a command substitution), which then has no whole reply, or finds no target: no
    facts either."""
    refusal = "target_unreadable: the scanner's shell was stopped while it worked"
    pod = make_pod(shell, "gnu" if shell != "ash" else "busybox")
    (pod.target.root / "bin/ash").hardlink_to(pod.target.root / "bin/sh")
    wake = (
        "while :; do for p in /proc/[0-9]*; do read -r l <$p/cmdline; case $l in /bin/sh) "
        "kill -CONT ${p#/proc/};; esac; done; sleep 0.1; done 2>/dev/null"
    )
    pod.start("/bin/ash", "-c", wake)
    wanted = make_request([*QUERIES, Query("processes")])
    found = ""
    for _attempt in range(50):
        done = pod.shared.run(pod.scanner, build_script(wanted, NONCE, VIEW))
        try:
            read_facts(wanted, done.stdout, NONCE, VIEW)
        except ScanError as error:
            found = f"{error.reason}: {error.message}"
            if found == refusal:
                break
    assert found == refusal


@pytest.mark.parametrize("shell", ["dash", "bash", "mksh", "ash"])
def test_links_into_the_scanners_processes_lead_nowhere(make_pod: MakePod, shell: str) -> None:
    """/proc is the same for all in the namespace. It is mounted at another place too, and its numbers are guessed."""
    pod = make_pod(shell, "gnu" if shell != "ash" else "busybox")
    second = pod.target.root / "other" / "place"
    second.mkdir(parents=True)
    subprocess.run(
        [
            "nsenter",
            "--target",
            str(pod.shared.first.outer),
            "--pid",
            "--mount",
            "mount",
            "-t",
            "proc",
            "proc",
            str(second),
        ],
        check=True,
    )
    guesses = range(pod.main.pid, pod.main.pid + 12)
    paths = []
    for number, proc in enumerate(("/proc", "/other/place", "../proc", "/other/../other/place")):
        for name in (
            "self",
            "thread-self",
            *map(str, guesses),
            "self/task/self",
            f"{pod.main.pid}/task/{pod.main.pid}",
        ):
            for file in ("environ", "root/etc/motd", "cwd", "cmdline"):
                paths.append(
                    "/etc/guess{}.{}.{}".format(number, name.replace("/", "."), file.replace("/", "."))
                )
                (pod.target.root / paths[-1][1:]).symlink_to(f"{proc}/{name}/{file}")
    paths += [
        f"/proc/{pod.main.pid}/environ",
        f"/other/place/{pod.main.pid}/root/etc/motd",
        "/dev/fd/0",
        "/dev/stdin",
    ]
    (pod.target.root / "dev/fd").symlink_to("/proc/self/fd")
    (pod.target.root / "dev/stdin").symlink_to("/proc/self/fd/0")
    queries = [Query("content", path) for path in paths] + [Query("file", path) for path in paths]
    facts = pod.shared.collect(pod.scanner, queries, VIEW, env=SECRET)
    assert SCANNERS_OWN not in shown(facts) and "sleep\\x00700" not in shown(facts)
    assert facts[f"content:/proc/{pod.main.pid}/environ"].status == UNSUPPORTED
    assert facts["content:/etc/guess1.self.cmdline"].value == b"/bin/sleep\x00600\0"
    assert facts["content:/etc/guess0.self.cwd"].status == UNSUPPORTED
    assert {fact.status for fact in facts.values()} <= {OK, ABSENT, UNSUPPORTED, UNREADABLE}


def test_a_process_cannot_pass_for_the_scanners(make_pod: MakePod) -> None:
    """Whatever it is called, and whatever its command line and parent: the kernel knows its mounts."""
    pod = make_pod()
    for argv in (("/bin/sleep", "700"), ("/bin/sh", "-c", "exec /bin/sleep 700"), ("/bin/sleep", "701")):
        pod.start(*argv)
    facts = pod.shared.collect(pod.scanner, [Query("processes")], VIEW)
    assert [row["cmdline"][-1] for row in facts["processes"].value] == ["600", "700", "700", "701"]
    assert pod.main.pid not in [row["pid"] for row in facts["processes"].value]


def test_a_target_that_ends_while_it_is_looked_at(make_pod: MakePod) -> None:
    """Its files are still seen, since its root is held; what only a process can tell is not taken for empty."""
    pod = make_pod()
    process = pod.shared.start(pod.target, "/bin/sleep", "601")
    pod.shared.tell(pod.scanner, {1: _cgroup(OTHER_ID), process.pid: _cgroup(TARGET_ID)})
    (pod.scanner.root / "bin/stat").rename(pod.scanner.root / "bin/real")
    ending = '#!/bin/sh\nkill -9 %d\nwhile [ -e /proc/%d/root/. ]; do :; done\nexec /bin/real "$@"\n'
    pod.scanner.write("/bin/stat", ending % (process.pid, process.pid), mode=0o755)
    queries = [
        Query("file", "/etc/absolute"),
        Query("content", "/etc/chain0"),
        *map(Query, ("environment", "mounts", "passwd")),
    ]
    facts = pod.shared.collect(pod.scanner, queries, VIEW)
    assert (
        facts["file:/etc/absolute"].value["size"] == 13
        and facts["content:/etc/chain0"].value == b"the target's\n"
    )
    assert facts["passwd"].status == OK
    for key in ("environment", "mounts"):
        assert facts[key].status in (UNREADABLE, UNSUPPORTED) and facts[key].cause, key


def test_processes_that_come_and_go(make_pod: MakePod) -> None:
    pod = make_pod()
    pod.target.add_programs("dash", "gnu", ["true"])
    (pod.target.root / "bin/looping").hardlink_to(pod.target.root / "bin/sh")
    pod.shared.start(pod.target, "/bin/looping", "-c", "while :; do /bin/true; /bin/true & done")
    for _attempt in range(10):
        fact = pod.shared.collect(pod.scanner, [Query("processes")], VIEW).get_fact(Query("processes"))
        assert fact.status == OK and fact.value[0]["pid"] == 1


def test_what_is_swapped_while_it_is_looked_at_costs_no_more_than_its_fact(make_pod: MakePod) -> None:
    pod = make_pod()
    pod.target.add_programs("dash", "gnu", ["ln", "rm", "mkdir"])
    (pod.target.root / "bin/looping").hardlink_to(pod.target.root / "bin/sh")
    (pod.target.root / "swapped").mkdir(mode=0o777)
    (pod.target.root / "swapped").chmod(0o777)
    swap = (
        "cd /swapped; while :; do ln -sfn /closed/nothing x; rm -rf x; mkdir -p x/y; rm -rf x; echo 1 >x; "
        "ln -sfn x x; "
        "rm -rf x; done"
    )
    pod.shared.start(pod.target, "/bin/looping", "-c", swap)
    queries = [
        Query(kind, "/swapped/x" + rest) for kind in ("file", "content") for rest in ("", "/y", "/y/z")
    ]
    for _attempt in range(20):
        facts = pod.shared.collect(pod.scanner, [*queries, Query("content", "/etc/out")], VIEW)
        assert facts["content:/etc/out"].value == b"the target's\n"
