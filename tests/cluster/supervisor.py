# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Process 1 of a cluster: runs inside the cluster's own mount and process namespaces, and everything ends with it.

It arranges the file tree that the daemons see, starts and signals them when told to by its control socket, and reaps
what they leave. It decides nothing and restarts nothing. It is started as a program of its own and knows nothing of the
rest of this package, because the folders that Python could import from may be hidden by the time it would.

    supervisor.py CLUSTER_FOLDER PROGRAMS_FOLDER

Control: one JSON object as a line, one as the answer. {"do": "list"} -> {"daemons": {NAME: {"pid", "exit"}}};
{"do": "start", "name"}; {"do": "signal", "name", "signal"}. Answers with "error" say why not.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Kubelet sets these for the whole machine and leaves them so. It is shown a file that has the wanted value instead.
KUBELET_WANTS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
ANSWER_SECONDS = 30.0


def arrange_files(cluster: Path, programs: Path) -> None:
    """Give this mount namespace its own /run, /var/lib, /var/log and /etc/hosts; nothing of it reaches the machine."""
    stage = cluster / "run"
    stage.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", "mode=755", "cluster-run", stage)
    for source, name in ((cluster, "cluster"), (programs, "programs")):
        (stage / name).mkdir()
        _mount("--bind", source, stage / name)
    # only now: the cluster's folder itself may lie below /run or /var/lib
    _mount("--rbind", stage, "/run")
    for place in ("var/lib", "var/log", "etc/hosts"):
        _mount("--bind", f"/run/cluster/{place}", f"/{place}")
    wanted = Path("/run/sysctl")
    wanted.mkdir()
    for name, value in KUBELET_WANTS.items():
        shown = wanted / name.replace("/", ".")
        shown.write_text(value + "\n")
        setting = Path("/proc/sys", name)
        if setting.exists():
            _mount("--bind", shown, setting)
    # those mounts hide parts of /proc: a user namespace may mount its own only where there is a whole one too
    whole = Path("/run/proc")
    whole.mkdir()
    _mount("-t", "proc", "-o", "nosuid,nodev,noexec", "proc", whole)
    # kubelet and containerd hand mounts on to containers
    _mount("--make-rshared", "/")


def _mount(*arguments: Any) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


class Supervisor:
    """Starts, signals and reaps the daemons that /run/cluster/daemons.json describes."""

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start a daemon, its output appended to its log. Raises ValueError if it runs, KeyError if it is not known."""
        if name in self._running and self._running[name].returncode is None:
            raise ValueError(f"{name} runs already")
        arguments = json.loads(Path("/run/cluster/daemons.json").read_text())[name]
        with Path(f"/run/cluster/log/{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                arguments,
                cwd="/",
                env={"PATH": f"/run/programs:{SYSTEM_PATH}", "HOME": "/"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def signal(self, name: str, number: int) -> None:
        """Send a signal to a daemon; fine if it has ended. Raises KeyError if it was never started."""
        process = self._running[name]
        if process.returncode is None:
            os.kill(process.pid, number)

    def list(self) -> dict[str, dict[str, int | None]]:
        """Each daemon ever started: its process id in this namespace, and its exit status if it has ended."""
        return {
            name: {"pid": process.pid, "exit": process.returncode} for name, process in self._running.items()
        }

    def reap(self) -> None:
        """Collect every child that has ended: daemons, and what lost its parent in this namespace."""
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if process == 0:
                return
            for daemon in self._running.values():
                if daemon.pid == process:
                    daemon.returncode = os.waitstatus_to_exitcode(status)

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what one control request says."""
        try:
            if request["do"] == "start":
                self.start(request["name"])
            elif request["do"] == "signal":
                self.signal(request["name"], request["signal"])
            elif request["do"] != "list":
                raise ValueError(f"cannot do {request['do']!r}")
        except (KeyError, ValueError, OSError) as problem:
            return {"error": f"{type(problem).__name__}: {problem}"}
        return {"daemons": self.list()}


def serve(supervisor: Supervisor, control: socket.socket) -> None:
    """Answer control requests, one at a time, and reap children, until killed."""
    wake_reader, wake_writer = socket.socketpair()
    wake_reader.setblocking(False)
    wake_writer.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake_writer.fileno(), warn_on_full_buffer=False)
    waiting = selectors.DefaultSelector()
    waiting.register(wake_reader, selectors.EVENT_READ)
    waiting.register(control, selectors.EVENT_READ)
    while True:
        for key, _unused in waiting.select():
            if key.fileobj is wake_reader:
                with contextlib.suppress(BlockingIOError):
                    wake_reader.recv(4096)
        supervisor.reap()
        with contextlib.suppress(BlockingIOError):
            connection, _unused = control.accept()
            with connection:
                connection.settimeout(ANSWER_SECONDS)
                _serve_one(supervisor, connection)


def _serve_one(supervisor: Supervisor, connection: socket.socket) -> None:
    """A caller that goes away or talks nonsense must not end the cluster."""
    with contextlib.suppress(OSError, ValueError), connection.makefile("rw") as lines:
        answer = supervisor.answer(json.loads(lines.readline()))
        supervisor.reap()
        lines.write(json.dumps(answer) + "\n")


def main() -> None:
    """Arrange the files, open the control socket, serve for ever."""
    os.chdir("/")
    os.umask(0o022)
    arrange_files(Path(sys.argv[1]), Path(sys.argv[2]))
    with socket.socket(socket.AF_UNIX) as control:
        control.setblocking(False)
        control.bind("/run/control.sock")
        control.listen(16)
        serve(Supervisor(), control)


if __name__ == "__main__":
    main()
