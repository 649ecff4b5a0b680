# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = """
name: scan_fleet
type: aggregate
short_description: A table of all scanned clusters at the end of a playbook
version_added: 0.1.0
author:
  - securescan.kubernetes contributors (@securescan)
description:
  - Prints one line for each host of the play that was scanned, those that need somebody first, and the sum.
  - C(JUDGED) is the number of containers of which enough was reviewed, C(EVIDENCE) the worst grade of evidence of the cluster.
  - A cluster of which no container could be scanned does not count as scanned. C(GATE) says for a gate that did not open whether
    something was found (C(FAILED)), or too few containers were scanned (C(NOT SCANNED)) or judged (C(NOT JUDGED)).
  - It reads the summaries of the runs, so they must be on the controller, as they are with a local connection.
  - The table goes to stderr where the stdout callback writes for programs, such as P(ansible.posix.json#callback).
requirements:
  - enable it in C(callbacks_enabled)
options:
  table_path:
    description:
      - A file for the same table, in JSON when its name ends with C(.json), in Markdown when with C(.md).
      - Its folder must exist.
      - It keeps the lines of clusters that the play did not have, because of C(--limit) for instance. Each line says when it was
        seen.
    type: path
    env:
      - name: SECURESCAN_FLEET_TABLE_PATH
    ini:
      - section: callback_scan_fleet
        key: table_path
  keep_days:
    description:
      - The days for which O(table_path) keeps the line of a cluster that no play had since. V(0) keeps none.
      - To drop a cluster at once that has left the inventory, remove the file. The next play over all clusters writes it anew.
    type: float
    default: 30
    env:
      - name: SECURESCAN_FLEET_KEEP_DAYS
    ini:
      - section: callback_scan_fleet
        key: keep_days
  retry_path:
    description:
      - A file for the names of the hosts of which no container could be scanned, one a line, for C(--limit @FILE) later.
        Hosts that were scanned are not in it, whatever the gate said.
      - There is no such file after a play that could scan all of its hosts.
    type: path
    env:
      - name: SECURESCAN_FLEET_RETRY_PATH
    ini:
      - section: callback_scan_fleet
        key: retry_path
seealso:
  - plugin: securescan.kubernetes.scan_metrics
    plugin_type: callback
"""

EXAMPLES = """
ansible.cfg: |
  # prints the table after every playbook that scans
  [defaults]
  callbacks_enabled = securescan.kubernetes.scan_fleet

  [callback_scan_fleet]
  table_path = /var/lib/scans/fleet.md
  retry_path = /var/lib/scans/not-scanned.txt
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..module_utils.errors import ScanError
from ..module_utils.reports.fleet import ClusterRun, render_fleet
from ..module_utils.reports.fleet_file import fleet_format, fleet_rows, read_fleet
from ..module_utils.times import api_time
from ..plugin_utils.host_display import is_stdout_for_people
from ..plugin_utils.kept_file import replace_file
from ..plugin_utils.observed_runs import ObservingCallback


class CallbackModule(ObservingCallback):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "securescan.kubernetes.scan_fleet"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_stats(self, stats: Any) -> None:
        table = render_fleet(self._observed.runs)
        if table and is_stdout_for_people():
            self._display.banner("SCANNED CLUSTERS")
            self._display.display(table)
        elif table:
            self._display.display(f"SCANNED CLUSTERS\n{table}", stderr=True)
        runs = [one for one in self._observed.runs if not one.is_planned]
        if runs:
            self._write("table_path", lambda path: self._write_table(path, runs))
            self._write("retry_path", lambda path: _write_retry(path, runs))

    def _write(self, option: str, write: Callable[[str], None]) -> None:
        path = self.get_option(option)
        if not path:
            return
        try:
            write(path)
        except ScanError as error:
            self._display.warning(f"{option}: {error}")
        except OSError as error:
            self._display.warning(f"{option}: {path} could not be written: {error.strerror or error}")

    def _write_table(self, path: str, runs: Sequence[ClusterRun]) -> None:
        written, now = fleet_format(path), datetime.now(timezone.utc)

        def make(before: str) -> str:
            try:
                kept = read_fleet(before, path)
            except ScanError as error:
                self._display.warning(f"table_path: {error.message}; it is written anew")
                kept = []
            return written(fleet_rows(runs, kept, now, self.get_option("keep_days")), api_time(now))

        replace_file(Path(path), make)


def _write_retry(path: str, runs: Sequence[ClusterRun]) -> None:
    hosts = sorted(one.host for one in runs if not one.is_scanned)
    if hosts:
        replace_file(Path(path), lambda _before: "".join(f"{host}\n" for host in hosts))
    else:
        Path(path).unlink(missing_ok=True)
