# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers that share one process and one network namespace, as those of a pod with a debug container do: real processes,
own roots."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ansible_collections.securescan.kubernetes.plugins.module_utils.collector import collect, request, script
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.facts import Facts, Query
from ansible_collections.securescan.kubernetes.plugins.module_utils.collector.view import INSIDE, TargetView
from ansible_collections.securescan.kubernetes.tests.support.chroot_container import (
    NONCE,
    Container,
)

TARGET_ID, SCANNER_ID, PAUSE_ID, OTHER_ID = ("%064x" % (number * 0x1234567 << 200) for number in (1, 2, 3, 4))
# how the kernel tells a process's container, seen from another container of the pod
CGROUPS = {
    "v1": "12:pids:/kubepods/burstable/pod1-2/%s\n1:name=systemd:/kubepods/burstable/pod1-2/%s\n0::/\n",
    "v1 with a namespace": "12:pids:/../%s\n1:name=systemd:/../%s\n",
    "v2": "0::/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-%s.scope\n",
    "v2 with a namespace": "0::/../%s\n",
    "v2 with systemd": "0::/../cri-containerd-%s.scope/init.scope\n",
}
NAMELESS = "0::/\n"


class Process:
    """A process that was started in a namespace. `outer` is its number here, `pid` that in its namespace."""

    def __init__(self, outer: int) -> None:
        self.outer = outer
        status = Path(f"/proc/{outer}/status").read_text()
        self.pid = int(next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[-1])


class SharedProcesses:
    """A process namespace; the container of `first` is the one whose program is process 1."""

    def __init__(
        self,
        scratch: Path,
        first: Container,
        *argv: str,
        uid: int = 65534,
        gid: int = 65534,
        groups: str = "",
    ) -> None:
        self._scratch = scratch
        self._started: list[subprocess.Popen[bytes]] = []
        self._main: dict[int, Process] = {}
        self._pids = ["unshare", "--pid", "--net", "--fork", "--kill-child"]
        self.first = self.start(first, *argv, uid=uid, gid=gid, groups=groups)
        self._pids = ["nsenter", "--target", str(self.first.outer), "--pid", "--net"]

    def start(
        self,
        container: Container,
        *argv: str,
        uid: int = 65534,
        gid: int = 65534,
        groups: str = "",
        env: dict[str, str] | None = None,
        chroot: str = "",
        makes_user_namespace: bool = False,
    ) -> Process:
        """Start a program in a container: the first one gets the container's mounts, further ones enter these."""
        main = self._main.get(id(container))
        root = str(container.root) + chroot
        if makes_user_namespace:
            # not in the root of the container: no chrooted process is allowed to
            user = f"setpriv --reuid={uid} --regid={gid} --clear-groups"
            make = f'cd "$0" && exec {user} unshare --user --mount --map-root-user chroot . "$@"'
            argv = ("sh", "-c", make, root, *argv)
        else:
            argv = ("chroot", f"--userspec={uid}:{gid}", f"--groups={groups}", root, *argv)
        if main is None:
            mounts = 'mount --bind "$0" "$0" && mount -t proc proc "$0/proc" && unset PWD OLDPWD && exec "$@"'
            argv = (*self._pids, "unshare", "--mount", "sh", "-c", mounts, str(container.root), *argv)
        else:
            argv = ("nsenter", "--target", str(main.outer), "--pid", "--net", "--mount", *argv)
        popen = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(env or {})}
        )
        self._started.append(popen)
        process = Process(_wait_for_child(popen))
        self._main.setdefault(id(container), process)
        return process

    def tell(self, scanner: Container, texts: dict[int, str], name: str = "cgroup") -> None:
        """Let the kernel tell these texts, by process number, in that file of /proc/PID, to who looks from the
        scanner's container."""
        for pid, text in texts.items():
            file = self._scratch / f"{name}{pid}"
            file.write_text(text)
            subprocess.run(
                [
                    "nsenter",
                    "--target",
                    str(self._main[id(scanner)].outer),
                    "--mount",
                    "mount",
                    "--bind",
                    str(file),
                    f"{scanner.root}/proc/{pid}/{name}",
                ],
                check=True,
            )

    def collect(
        self,
        container: Container,
        queries: Sequence[Query],
        view: TargetView = INSIDE,
        *,
        uid: int = 65534,
        gid: int = 65534,
        env: dict[str, str] | None = None,
    ) -> Facts:
        """Facts as a shell gathers them that is entered into a container that runs."""
        wanted = request.make_request(queries)
        done = self.run(container, script.build_script(wanted, NONCE, view), uid=uid, gid=gid, env=env)
        assert (done.returncode, done.stderr) == (0, b"")
        facts = collect.read_facts(wanted, done.stdout, NONCE, view)
        assert list(facts) == [query.key for query in wanted.queries]
        return facts

    def run(
        self,
        container: Container,
        shell_script: bytes,
        *,
        uid: int = 65534,
        gid: int = 65534,
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        argv = [
            "nsenter",
            "--target",
            str(self._main[id(container)].outer),
            "--pid",
            "--net",
            "--mount",
            "chroot",
            f"--userspec={uid}:{gid}",
            "--groups=",
            str(container.root),
            "/bin/sh",
        ]
        return subprocess.run(
            argv,
            input=shell_script,
            capture_output=True,
            timeout=60,
            check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(env or {})},
        )

    def listen(self, port: int) -> None:
        """Somebody of the pod listens there, on every address."""
        serve = f"import socket; s = socket.create_server(('', {port})); print(flush=True); s.accept()"
        popen = subprocess.Popen(
            ["nsenter", "--target", str(self.first.outer), "--net", sys.executable, "-c", serve],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        self._started.append(popen)
        assert popen.stdout and popen.stdout.readline() == b"\n"

    def close(self) -> None:
        # the tools before it changed its user, which takes away the signal that --kill-child asks for
        with suppress(ProcessLookupError):
            os.kill(self.first.outer, signal.SIGKILL)
        for popen in reversed(self._started):
            popen.kill()
            popen.communicate()


def _wait_for_child(popen: subprocess.Popen[bytes]) -> int:
    """The number of the program that was started: the tools before it fork once, or run it themselves. It sleeps or waits,
    so that two looks at it see the same state."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if popen.poll() is not None:
            raise AssertionError(f"{popen.args} ended with {popen.returncode}")
        found = Path(f"/proc/{popen.pid}/task/{popen.pid}/children").read_text().split()
        if found:
            try:
                name = Path(f"/proc/{found[0]}/comm").read_text().strip()
                is_asleep = "\nState:\tS" in Path(f"/proc/{found[0]}/status").read_text()
            except OSError:
                name, is_asleep = "sh", False
            if is_asleep and name not in ("sh", "mount", "unshare", "nsenter", "chroot", "dash", "setpriv"):
                return int(found[0])
        time.sleep(0.005)
    raise AssertionError(f"{popen.args} did not come up")
