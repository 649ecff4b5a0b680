# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real ansible-rulebook with a rulebook of the collection, and what its queue of requests holds."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from ..environment.python_environment import ensure_environment
from .process_family import family_of, kill_family
from .waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
_REQUIREMENTS = pathlib.Path(__file__).resolve().parents[1] / "rulebook" / "requirements.txt"
CLUSTER = "prod-eu"
SECONDS = 120.0


def rulebook_programs() -> pathlib.Path:
    return ensure_environment(_REQUIREMENTS, sys.executable) / "bin"


def rulebook_version() -> str:
    done = subprocess.run(
        [
            rulebook_programs() / "python",
            "-c",
            "import importlib.metadata as m; print(m.version('ansible-rulebook'))",
        ],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout.strip()


class RequestFolder:
    """The queue, and the results of the scans that it has asked for."""

    def __init__(self, folder: pathlib.Path) -> None:
        folder.mkdir(mode=0o700)
        self.queue, self.results = folder / "requests", folder / "results"
        self.log = folder / "rulebook.log"
        self.folder = folder

    def in_state(self, state: str) -> list[dict[str, Any]]:
        """The requests of a state, the oldest first."""
        found = sorted((self.queue / state).glob("*.json"))
        with contextlib.suppress(FileNotFoundError):  # one has gone on meanwhile
            return [json.loads(path.read_text(encoding="utf-8")) for path in found]
        return self.in_state(state)

    def ended(self, count: int = 1) -> list[dict[str, Any]]:
        """Waits until so many have ended."""
        wait_until(lambda: len(self.in_state("ended")) >= count, f"{count} requests have ended", SECONDS)
        return self.in_state("ended")

    def run_of(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The summary of the run that a request became."""
        found = self.results / CLUSTER / request["request_id"] / "summary.json"
        summary: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
        assert summary["run_id"] == request["request_id"]
        return summary


@contextlib.contextmanager
def rulebook(
    name: str, requests: RequestFolder, kubeconfig: pathlib.Path, **variables: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """ansible-rulebook with the rulebook `on_NAME`, until the block ends."""
    programs = rulebook_programs()
    host = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "scan_kubeconfig": str(kubeconfig),
        "scan_output_dir": str(requests.results),
    }
    inventory = requests.folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": {CLUSTER: host}}}), encoding="utf-8")
    given = requests.folder / "events.json"
    given.write_text(json.dumps({"request_queue": str(requests.queue), **variables}), encoding="utf-8")
    with requests.log.open("ab") as log:
        process = subprocess.Popen(
            [
                *(str(programs / "ansible-rulebook"), "--rulebook", f"securescan.kubernetes.on_{name}"),
                *("-i", str(inventory), "--vars", str(given), "--print-events"),
            ],
            cwd=requests.folder,
            env={
                **os.environ,
                "PATH": f"{programs}:{os.environ['PATH']}",
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT.parents[2]),
                "ANSIBLE_NOCOLOR": "1",
                "PWD": str(requests.folder),
                # where it puts what it gives to ansible-runner
                "TMPDIR": str(requests.folder),
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    except BaseException:
        print(requests.log.read_text(errors="replace")[-6000:])
        raise
    finally:
        # a playbook that ends after its rulebook would be left alone
        end = time.monotonic() + SECONDS
        while _runs_a_playbook(process.pid) and time.monotonic() < end:
            time.sleep(0.05)
        kill_family(process.pid)
        process.wait()


def _runs_a_playbook(pid: int) -> bool:
    for one in family_of(pid):
        with contextlib.suppress(OSError):
            if b"ansible-playbook" in pathlib.Path(f"/proc/{one}/cmdline").read_bytes():
                return True
    return False
