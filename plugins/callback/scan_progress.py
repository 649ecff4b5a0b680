# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = """
name: scan_progress
type: notification
short_description: How far a fleet run is, while it runs
version_added: 0.1.0
author:
  - securescan.kubernetes contributors (@securescan)
description:
  - In a terminal, a few lines at its bottom that are drawn anew each second. They have for each cluster that is scanned how many
    containers are done and fail, how many a second, and how long it will take. Everything else scrolls above them.
  - In the log of a job, one line from time to time.
  - It reads the files that the scans write (C(progress.json) of a cluster, the folder of the fleet run), so they must be on the
    controller.
  - Where stdout is for programs, such as with P(ansible.posix.json#callback), the lines go to stderr.
requirements:
  - enable it in C(callbacks_enabled)
  - a play with M(securescan.kubernetes.scan_fleet_run), such as the playbook C(fleet)
options:
  show:
    description:
      - V(auto) draws in a terminal and writes lines elsewhere. V(lines) always writes lines. V(nothing) shows nothing.
    type: str
    choices: [auto, lines, nothing]
    default: auto
    env:
      - name: SECURESCAN_PROGRESS_SHOW
    ini:
      - section: callback_scan_progress
        key: show
  interval:
    description: The seconds between two lines in the log of a job.
    type: float
    default: 30
    env:
      - name: SECURESCAN_PROGRESS_INTERVAL
    ini:
      - section: callback_scan_progress
        key: interval
  rows:
    description: The most lines in a terminal. They never take more than a third of it.
    type: int
    default: 12
    env:
      - name: SECURESCAN_PROGRESS_ROWS
    ini:
      - section: callback_scan_progress
        key: rows
seealso:
  - plugin: securescan.kubernetes.scan_fleet
    plugin_type: callback
  - module: securescan.kubernetes.scan_fleet_run
"""

EXAMPLES = """
ansible.cfg: |
  [defaults]
  callbacks_enabled = securescan.kubernetes.scan_progress

  [callback_scan_progress]
  interval = 60
"""

import atexit
import os
import threading
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

from ..module_utils.errors import ScanError
from ..module_utils.reports.fleet_progress import FleetWatch, live_lines, plain_line
from ..plugin_utils.host_display import is_stdout_for_people
from ..plugin_utils.live_area import LiveArea

_MODULES = ("scan_fleet_run", "securescan.kubernetes.scan_fleet_run")
_REDRAWN_SECONDS = 1.0
_LEAST_SECONDS = 1.0
_STDOUT = 1


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "securescan.kubernetes.scan_progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, display: Any = None, options: Any = None) -> None:
        super().__init__(display=display, options=options)
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def v2_runner_on_ok(self, result: Any) -> None:
        if result._task.action not in _MODULES:
            return
        values = result._result
        if "resumed" in values and values.get("fleet_dir"):
            self._begin(Path(values["fleet_dir"]))
        elif "gate" in values:
            self._end()

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if result._task.action in _MODULES and "gate" in result._result:
            self._end()

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        # what the end prints is not to scroll above a table that has ended
        if task.action in _MODULES and task.args.get("state") == "ended":
            self._end()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._end()

    def _begin(self, fleet_dir: Path) -> None:
        if self._thread is not None or self.get_option("show") == "nothing":
            return
        try:
            watch = FleetWatch(fleet_dir)
        except ScanError:  # check mode has no folder
            return
        for_people = is_stdout_for_people()
        if for_people and self.get_option("show") == "auto" and os.isatty(_STDOUT):
            work, arguments = self._draw, (watch, LiveArea(_STDOUT, self.get_option("rows")))
        else:
            work, arguments = self._tell, (watch, not for_people)
        self._ended.clear()
        self._thread = threading.Thread(target=work, args=arguments, name="scan_progress", daemon=True)
        self._thread.start()
        # also after Ctrl-C, so that the terminal gets its lines back; workers end without it
        atexit.register(self._end)

    def _end(self) -> None:
        if self._thread is not None:
            self._ended.set()
            self._thread.join(timeout=10)
            self._thread = None

    def _draw(self, watch: FleetWatch, area: LiveArea) -> None:
        try:
            while not self._ended.wait(_REDRAWN_SECONDS):
                area.draw(live_lines(watch.look(), area.rows, area.width))
        finally:
            area.close()

    def _tell(self, watch: FleetWatch, to_stderr: bool) -> None:
        said = ""
        while not self._ended.wait(max(self.get_option("interval"), _LEAST_SECONDS)):
            line = plain_line(watch.look())
            if line != said:
                self._display.display(f"[fleet] {line}", stderr=to_stderr)
                said = line
