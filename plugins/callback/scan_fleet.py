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
  - It reads the summaries of the runs, so they must be on the controller, as they are with a local connection.
  - The table goes to stderr where the stdout callback writes for programs, such as P(ansible.posix.json#callback).
requirements:
  - enable it in C(callbacks_enabled)
seealso:
  - plugin: securescan.kubernetes.scan_metrics
    plugin_type: callback
"""

EXAMPLES = """
ansible.cfg: |
  # prints the table after every playbook that scans
  [defaults]
  callbacks_enabled = securescan.kubernetes.scan_fleet
"""

from typing import Any

from ..module_utils.reports.fleet import render_fleet
from ..plugin_utils.host_display import is_stdout_for_people
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
