# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenMetrics: the parser of prometheus-client, which refuses a series that stands twice and a metric without its end."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

from ansible_collections.securescan.kubernetes.tests.support.format_readers.format_reader import (
    FormatReader,
    Words,
)


def _samples(path: pathlib.Path) -> Iterator[Any]:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    try:
        families = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise AssertionError(str(error)) from None
    for family in families:
        assert family.type == "gauge"
        yield from family.samples


def _read(path: pathlib.Path) -> Words:
    words: dict[str, list[str]] = {}
    for sample in _samples(path):
        if sample.value and sample.name in ("securescan_target_controls", "securescan_target_exceptions"):
            word = sample.labels.get("status") or sample.labels["kind"]
            words.setdefault(sample.labels["target_id"], []).append(f"{word} {sample.value:g}")
    return {(target, "", ""): ", ".join(found) for target, found in words.items()}


def _targets(path: pathlib.Path) -> dict[str, str]:
    judged = {target for target, _profile, _control in _read(path)}
    return {
        sample.labels["target_id"]: sample.labels["result"]
        for sample in _samples(path)
        if sample.name == "securescan_target_result" and sample.labels["target_id"] not in judged
    }


READER = FormatReader("openmetrics", "prometheus-client", _read, _targets)
