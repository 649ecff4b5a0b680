# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh of real Receptor nodes on this machine: a hub, and a node for each region that runs ansible-runner."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import yaml

from ..environment.debian_unpacked import unpacked
from .free_port import free_port

WORK = "scan"
SECONDS = 240


class Mesh:
    """Nodes of Receptor: `hub`, and one for each region, which runs `ansible-runner worker`.

    :param worker: the command of a region instead of that, by the region's own folder
    :param environ: variables of all nodes beside their own
    """

    def __init__(
        self,
        folder: pathlib.Path,
        regions: Sequence[str],
        worker: Callable[[pathlib.Path], Sequence[str]] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._environ = dict(environ or {})
        self._regions = regions
        self.folder = folder
        self.socket = folder / "hub.sock"
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}
        self._program = str(unpacked("receptor") / "usr" / "bin" / "receptor")
        port = free_port()
        self._start(
            "hub",
            [
                {"tcp-listener": {"port": port, "bindaddr": "127.0.0.1"}},
                {"control-service": {"service": "control", "filename": str(self.socket)}},
            ],
        )
        for region in regions:
            command, *params = (worker or _runner_worker)(folder / region)
            runner = {"worktype": WORK, "command": command, "params": shlex.join(params)}
            peer = {"tcp-peer": {"address": f"127.0.0.1:{port}", "redial": True}}
            control = {"control-service": {"service": "control", "filename": str(folder / f"{region}.sock")}}
            self._start(region, [peer, control, {"work-command": runner}])

    def _start(self, name: str, rest: list[dict]) -> None:
        home = self.folder / name
        home.mkdir()
        config = [{"node": {"id": name, "datadir": str(home / "data")}}, {"log-level": "error"}, *rest]
        (home / "receptor.yml").write_text(yaml.safe_dump(config))
        environ = {
            **os.environ,
            **self._environ,
            "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        with (home / "log").open("wb") as log:
            self._nodes[name] = subprocess.Popen(
                [self._program, "--config", str(home / "receptor.yml")],
                env=environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def version(self) -> str:
        """Of Receptor."""
        done = subprocess.run([self._program, "--version"], check=True, text=True, stdout=subprocess.PIPE)
        return done.stdout.strip().removeprefix("v")

    def wait_for_regions(self) -> None:
        for region in self._regions:
            wait_until(lambda region=region: self.control("ping", region, "--count", "1").returncode == 0)

    def control(self, *arguments: str) -> subprocess.CompletedProcess:
        program = pathlib.Path(sys.executable).parent / "receptorctl"
        return subprocess.run(
            [str(program), "--socket", str(self.socket), *arguments],
            check=False,
            stdout=subprocess.PIPE,
            timeout=SECONDS,
        )

    def submit(self, region: str, payload: pathlib.Path) -> str:
        """The id of the region's work."""
        done = self.control("work", "submit", "--node", region, "--payload", str(payload), WORK)
        said = done.stdout.decode()
        assert done.returncode == 0 and "Unit ID: " in said, said
        return said.split("Unit ID: ")[1].split()[0]

    def results(self, unit: str) -> bytes:
        """What the region's worker streams back, to its end."""
        return self.control("work", "results", unit).stdout

    def kill(self, region: str) -> None:
        """The node and all that it has started, at once, as when a machine loses its power."""
        if self._nodes[region].poll() is not None:
            return  # its number may be another's by now
        # none of them makes another while they are killed
        stopped: set[int] = set()
        while more := {self._nodes[region].pid, *_descendants(self._nodes[region].pid)} - stopped:
            _signal(more, signal.SIGSTOP)
            stopped |= more
        _signal(stopped, signal.SIGKILL)
        self._nodes[region].wait()

    def close(self) -> None:
        for name in self._nodes:
            self.kill(name)


def _runner_worker(folder: pathlib.Path) -> list[str]:
    runner = str(pathlib.Path(sys.executable).parent / "ansible-runner")
    return [runner, "worker", "--private-data-dir", str(folder / "job")]


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _descendants(pid: int) -> list[int]:
    """Also those in sessions of their own."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                child = int(stat.parent.name)
                found += [*_descendants(child), child]
    return found


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < end, "it did not come to pass in time"
        time.sleep(0.2)
