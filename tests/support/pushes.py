# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pushes for tests of sinks: runs of many places, systems that fail now and then, and a push that is killed in the middle.

A test of a sink over HTTP:

    run = wide_run(tmp_path, 1000)
    faults = Faults()
    https_server.answer = faults.around(double.answer)          # double: what enforces the system's contract
    ended = push_and_kill({"system": "splunk", "run_dir": run.folder, "url": https_server.url, "batch_items": 10, ...},
                          kill_when=lambda: len(double.events) > 1000)
    assert faults.count > 0 and ended.kills == 1
    assert keys of double.events == expected, each once

A system that is not reached by HTTP makes its faults itself; `push_and_kill` and `wide_run` serve all the same.
"""

from __future__ import annotations

import json
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.securescan.kubernetes.plugins.module_utils.options.push import scan_push_spec
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.run import Run
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.context import TaskContext
from ansible_collections.securescan.kubernetes.plugins.module_utils.tasks.push import run_scan_push
from ansible_collections.securescan.kubernetes.tests.support.https_server import Answer, Received
from ansible_collections.securescan.kubernetes.tests.support.stored_runs import Nights, target

PROGRAM = pathlib.Path(__file__).parent / "pushing_process.py"
THROTTLED, SERVER_ERROR, CUT_BEFORE, CUT_AFTER, TIMED_OUT = (
    "throttled",
    "server error",
    "cut before",
    "cut after",
    "timed out",
)
# A cut or a time-out "after": the system has taken the request, and we do not learn of it.
FAULTS: tuple[str, ...] = (THROTTLED, SERVER_ERROR, CUT_BEFORE, CUT_AFTER, TIMED_OUT)
_CUT = b"HTTP/1.1 200 OK\r\nContent-Le"
_MOST_ATTEMPTS = 10
_END_SECONDS = 60.0


def wide_run(
    folder: pathlib.Path, places: int, number: int = 0, *, failed: Sequence[int] | None = None
) -> Run:
    """A run of that many places with three controls each (c-root, c-shell, c-label), below `folder`/demo. c-root fails on the
    places of `failed`, on every second one without it; all else passes.

    :param number: of the night, for a run after it
    """
    chosen = set(range(0, places, 2) if failed is None else failed)
    return Nights(folder).scan(
        number,
        {target(f"api{one}-1"): {"c-root": "failed"} if one in chosen else {} for one in range(places)},
    )


def push(check_mode: bool = False, **params: Any) -> dict[str, Any]:
    """The task scan_push in this process: its result, also where something is not there (`failed`)."""
    given = {name: rule.get("default") for name, rule in scan_push_spec().items()}
    return run_scan_push({**given, **params}, TaskContext(check_mode=check_mode, environ={}))


@dataclass
class Faults:
    """Makes a share of all requests fail, each kind as often as the others; the same ones each time.

    :ivar happened: the kinds, in their order
    """

    share: float = 0.05
    kinds: Sequence[str] = FAULTS
    seconds: float = 1.5  # a time-out of the push must be shorter: 1 is the least
    happened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(16)
        self._lock = threading.Lock()
        self._left: list[str] = []

    @property
    def count(self) -> int:
        return len(self.happened)

    def next(self) -> str:
        """The kind of fault for the next request; empty for none."""
        with self._lock:
            if self._random.random() >= self.share:
                return ""
            if not self._left:
                self._left = list(self.kinds)
            kind = self._left.pop(0)
            self.happened.append(kind)
            return kind

    def around(self, answer: Callable[[Received], Answer]) -> Callable[[Received], Answer]:
        """The server's answers with the faults."""

        def faulty(request: Received) -> Answer:
            kind = self.next()
            if kind == THROTTLED:
                return Answer(429, b"slow down", {"Retry-After": "0"})
            if kind == SERVER_ERROR:
                return Answer(500, b"broken")
            if kind == CUT_BEFORE:
                return Answer(raw=_CUT)
            given = answer(request)
            if kind == CUT_AFTER:
                return Answer(raw=_CUT)
            if kind == TIMED_OUT:
                time.sleep(self.seconds)
            return given

        return faulty


@dataclass(frozen=True)
class Ended:
    """How a push that was killed went in the end: `results` of the processes that ended by themselves, the last one complete."""

    results: Sequence[Mapping[str, Any]]
    kills: int


def push_and_kill(params: Mapping[str, Any], kill_when: Callable[[], bool]) -> Ended:
    """Pushes in a process of its own, kills it by SIGKILL as soon as `kill_when` says so, and gives the same command again until
    everything is there.

    :param params: options of scan_push as the module takes them; `timeout` is 1 without it
    """
    given = {"timeout": 1.0, "deadline": 120, **params}
    killed = _killed(given, kill_when)
    results: list[Mapping[str, Any]] = []
    for _attempt in range(_MOST_ATTEMPTS):
        process = _started(given)
        said, _nothing = process.communicate(timeout=_END_SECONDS * 2)
        assert process.returncode == 0, said
        results.append(json.loads(said.splitlines()[-1]))
        if not results[-1].get("failed"):
            return Ended(results, int(killed))
    raise AssertionError(f"not complete after {_MOST_ATTEMPTS} pushes: {results[-1]}")


def _killed(given: Mapping[str, Any], kill_when: Callable[[], bool]) -> bool:
    process = _started(given)
    end = time.monotonic() + _END_SECONDS
    while not kill_when():
        assert process.poll() is None, "the push ended before it could be killed"
        assert time.monotonic() < end, "the moment to kill it did not come"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def _started(given: Mapping[str, Any]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(given))
    process.stdin.close()
    process.stdin = None
    return process
