# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alerts of an Alertmanager as requests.

An alert asks for a scan by its labels, which the operator writes into the alerting rule:

    securescan   scan, preflight or health; an alert without it asks for nothing
    cluster      the cluster's name in the inventory
    namespace    and perhaps workload_kind with workload, pod, container: the labels that kube-state-metrics has

Only firing alerts count. The key is made of the alert's fingerprint and its beginning, so that repetitions ask for nothing new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..safe_text import one_line
from .request import HEALTH, Request, bad_request, read_request

ASKS = "securescan"
MOST_ALERTS = 200
_NAMES = {"namespace": "namespaces", "pod": "pods", "container": "containers"}
_NO_KEY = 200


def alert_requests(payload: object) -> Iterator[Request]:
    """The requests of a message of Alertmanager's webhook, version 4.

    :raises ScanError: bad_request, also where one of them cannot be read; Alertmanager's sender is then told so
    """
    if not isinstance(payload, Mapping) or str(payload.get("version")) != "4":
        raise bad_request("it is no message of Alertmanager's webhook, version 4")
    alerts = payload.get("alerts")
    if not isinstance(alerts, list) or len(alerts) > MOST_ALERTS:
        raise bad_request(f"alerts is not a list of at most {MOST_ALERTS}")
    for alert in alerts:
        labels = alert.get("labels") if isinstance(alert, Mapping) else None
        if not isinstance(labels, Mapping):
            raise bad_request("an alert has no labels")
        if alert.get("status") == "firing" and labels.get(ASKS):
            yield _request_of(alert, labels)


def _request_of(alert: Mapping[str, Any], labels: Mapping[str, Any]) -> Request:
    asked: dict[str, Any] = {
        "action": labels[ASKS],
        "cluster": labels.get("cluster"),
        "key": f"{alert.get('fingerprint', '')}/{alert.get('startsAt', '')}"[:_NO_KEY],
        "requested_by": "Alertmanager",
        "because": one_line(str(labels.get("alertname", "")), 200),
    }
    if asked["action"] != HEALTH:
        for label, field in _NAMES.items():
            if labels.get(label):
                asked[field] = [labels[label]]
        if labels.get("workload"):
            asked["workloads"] = [f"{labels.get('workload_kind', '*')}/{labels['workload']}"]
    return read_request({name: value for name, value in asked.items() if value is not None})
