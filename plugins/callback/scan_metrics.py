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
  - Metrics are of clusters, not of single containers; labels are C(host), C(cluster), C(status), C(severity),
    C(outcome), C(result), C(evidence).
  - The file is replaced as a whole, so that it is never read half written.
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

import os
import tempfile
from pathlib import Path
from typing import Any

from ..module_utils.reports.metrics import render_metrics
from ..plugin_utils.observed_runs import ObservingCallback


class CallbackModule(ObservingCallback):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "securescan.kubernetes.scan_metrics"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_stats(self, stats: Any) -> None:
        text = render_metrics(self._observed.runs)
        if not text:
            return
        path = Path(self.get_option("path"))
        try:
            _replace(path, text)
        except OSError as error:
            self._display.warning(f"the metrics could not be written to {path}: {error.strerror or error}")


def _replace(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".securescan-", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        temporary.chmod(0o644)  # the node exporter is another user, and there is nothing secret in it
        temporary.replace(path)
    except OSError:
        temporary.unlink()
        raise
