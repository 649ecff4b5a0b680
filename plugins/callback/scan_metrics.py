# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = """
name: scan_metrics
type: notification
short_description: Metrics of all scanned clusters for Prometheus, as a file or by a Pushgateway
version_added: 0.1.0
author:
  - securescan.kubernetes contributors (@securescan)
description:
  - Writes a file for the textfile collector of Prometheus' node exporter at the end of a playbook, or sends the metrics to a
    Pushgateway.
  - Beside the clusters that were scanned it knows the fleet run (role C(fleet)) and what the playbook C(health) found.
  - Metrics are of clusters, not of single containers. C(docs/metrics.md) of the collection names each with its labels.
  - Series of clusters that the play did not have, because of C(--limit) for instance, stay in the file. The metric
    C(securescan_run_observed_timestamp_seconds) says when a cluster was seen.
  - A host counts as scanned when a container of it was scanned, or none was to be.
  - The file is replaced as a whole, so that it is never read half written. Plays that end at the same time wait for each other.
requirements:
  - enable it in C(callbacks_enabled)
options:
  path:
    description: The file to write. Its name must end with C(.prom) to be collected. Needed where O(push_url) is not set.
    type: path
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
  store:
    description:
      - A store of scans, as the module C(scan_store) names it, a path or C(postgresql://user@host/database). What it says now is
        told, too, when the playbook has scanned.
    type: str
    env:
      - name: SECURESCAN_METRICS_STORE
    ini:
      - section: callback_scan_metrics
        key: store
  store_password:
    description: The password of the PostgreSQL user. It is taken from the environment only.
    type: str
    env:
      - name: SECURESCAN_METRICS_STORE_PASSWORD
  push_url:
    description:
      - The address of a Pushgateway, C(https://host:port/path) without a user in it. Each host, and the fleet, is a group there,
        which each playbook replaces.
    type: str
    env:
      - name: SECURESCAN_METRICS_PUSH_URL
    ini:
      - section: callback_scan_metrics
        key: push_url
  push_job:
    description: The label C(job) of all groups.
    type: str
    default: securescan
    env:
      - name: SECURESCAN_METRICS_PUSH_JOB
    ini:
      - section: callback_scan_metrics
        key: push_job
  push_username:
    description: The user of the Pushgateway, if it asks for one.
    type: str
    env:
      - name: SECURESCAN_METRICS_PUSH_USERNAME
    ini:
      - section: callback_scan_metrics
        key: push_username
  push_password:
    description: The user's password. It is taken from the environment only.
    type: str
    env:
      - name: SECURESCAN_METRICS_PUSH_PASSWORD
  push_token:
    description: A bearer token in place of a user, for a proxy before the Pushgateway. It is taken from the environment only.
    type: str
    env:
      - name: SECURESCAN_METRICS_PUSH_TOKEN
  push_ca_cert:
    description: A file with the CA of the Pushgateway's certificate. Without it the CAs of the machine are trusted.
    type: path
    env:
      - name: SECURESCAN_METRICS_PUSH_CA_CERT
    ini:
      - section: callback_scan_metrics
        key: push_ca_cert
  push_timeout:
    description: Seconds that one host's metrics can take.
    type: float
    default: 10
    env:
      - name: SECURESCAN_METRICS_PUSH_TIMEOUT
    ini:
      - section: callback_scan_metrics
        key: push_timeout
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

ansible.cfg with a Pushgateway: |
  [callback_scan_metrics]
  push_url = https://pushgateway.example.com:9091
  push_username = securescan
"""

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ..module_utils.errors import ScanError
from ..module_utils.reports.metrics import Observed, render_by_subject, render_metrics
from ..module_utils.reports.store_metrics import StoreNumbers
from ..module_utils.safe_text import one_line
from ..plugin_utils.kept_file import replace_file
from ..plugin_utils.observed_runs import ObservingCallback
from ..plugin_utils.pushgateway import PushOptions, push
from ..plugin_utils.store_numbers import read_store_numbers

_MOST_WARNINGS = 5


class CallbackModule(ObservingCallback):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "securescan.kubernetes.scan_metrics"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_stats(self, stats: Any) -> None:
        seen, now = self._observed, datetime.now(timezone.utc)
        observed = Observed(seen.runs, seen.fleet_runs, list(seen.health.values()), self._stores(now))
        path, url = self.get_option("path"), self.get_option("push_url")
        if not path and not url:
            self._display.warning("the metrics were written nowhere: neither path nor push_url is set")
        if path:
            self._write(Path(path), observed, now)
        if url:
            self._push(url, observed, now)

    def _stores(self, now: datetime) -> list[StoreNumbers]:
        """What the store says, which a play has filled; nothing where it has seen no cluster."""
        address, seen = self.get_option("store"), self._observed
        if not address or not (seen.runs or seen.fleet_runs):
            return []
        try:
            password = self.get_option("store_password") or ""
            return [read_store_numbers(address, password, now.timestamp())]
        except ScanError as error:
            self._display.warning(f"the store has no metrics: {error}")
            return []

    def _write(self, path: Path, observed: Observed, now: datetime) -> None:
        keep_days = self.get_option("keep_days")
        if not any(True for _sample in observed.samples(now)):
            return
        try:
            replace_file(path, lambda before: render_metrics(observed, now, before, keep_days))
        except OSError as error:
            self._display.warning(f"the metrics could not be written to {path}: {error.strerror or error}")

    def _push(self, url: str, observed: Observed, now: datetime) -> None:
        texts = render_by_subject(observed, now)
        if not texts:
            return
        names = ("job", "username", "password", "token", "ca_cert")
        given = {name: self.get_option(f"push_{name}") or "" for name in names}
        options = PushOptions(url, timeout=self.get_option("push_timeout"), **given)
        try:
            failures = push(options, texts)
        except ScanError as error:
            self._display.warning(f"the metrics were not pushed: {error}")
            return
        for subject, error in failures[:_MOST_WARNINGS]:
            self._display.warning(f"the metrics of {one_line(subject, 80)} were not pushed: {error}")
