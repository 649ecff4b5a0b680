# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = """
name: scan_metrics
type: notification
short_description: Metrics of all scanned clusters as a file in Prometheus' text format
version_added: 0.1.0
author:
  - securescan.kubernetes contributors (@securescan)
description:
  - Writes a file for the textfile collector of Prometheus' node exporter at the end of a playbook.
  - Metrics are of clusters, not of single containers. C(docs/metrics.md) of the collection names each with its labels.
  - Series of clusters that the play did not have, because of C(--limit) for instance, stay in the file. The metric
    C(securescan_run_observed_timestamp_seconds) says when a cluster was seen.
  - A host counts as scanned when a container of it was scanned, or none was to be.
  - The file is replaced as a whole, so that it is never read half written. Plays that end at the same time wait for each other.
requirements:
  - enable it in C(callbacks_enabled)
options:
  path:
    description: The file to write. Its name must end with C(.prom) to be collected.
    type: path
    required: true
    env:
      - name: SECURESCAN_METRICS_PATH
    ini:
      - section: callback_scan_metrics
        key: path
  keep_days:
    description:
      - The days for which the series of a cluster are kept that no play had since. V(0) keeps none.
      - To drop a cluster at once that has left the inventory, remove the file. The next play over all clusters writes it anew.
    type: float
    default: 30
    env:
      - name: SECURESCAN_METRICS_KEEP_DAYS
    ini:
      - section: callback_scan_metrics
        key: keep_days
seealso:
  - plugin: securescan.kubernetes.scan_fleet
    plugin_type: callback
"""

EXAMPLES = """
ansible.cfg: |
  [defaults]
  callbacks_enabled = securescan.kubernetes.scan_metrics

  [callback_scan_metrics]
  path = /var/lib/node_exporter/textfile/securescan.prom
"""

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..module_utils.reports.metrics import render_metrics
from ..plugin_utils.kept_file import replace_file
from ..plugin_utils.observed_runs import ObservingCallback


class CallbackModule(ObservingCallback):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "securescan.kubernetes.scan_metrics"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_stats(self, stats: Any) -> None:
        runs, now = self._observed.runs, datetime.now(timezone.utc)
        if not runs:
            return
        path, keep_days = Path(self.get_option("path")), self.get_option("keep_days")
        try:
            replace_file(path, lambda before: render_metrics(runs, now, before, keep_days))
        except OSError as error:
            self._display.warning(f"the metrics could not be written to {path}: {error.strerror or error}")
