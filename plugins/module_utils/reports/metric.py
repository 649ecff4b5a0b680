# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a metric is, one value of it, and how both are written: Prometheus' text format and OpenMetrics have the same lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..safe_text import escape_text


@dataclass(frozen=True)
class Metric:
    """A gauge. `labels` are those that it has beside the labels of what it is about: host and cluster, or fleet."""

    name: str
    text: str
    labels: tuple[str, ...] = ()


# name, labels, value
Sample = tuple[str, Mapping[str, str], float]


def metric_head(metric: Metric) -> list[str]:
    """The lines before its samples."""
    return [f"# HELP {metric.name} {metric.text}", f"# TYPE {metric.name} gauge"]


def sample_line(sample: Sample) -> str:
    name, labels, value = sample
    return f"{name}{{{','.join(map(label_text, labels.items()))}}} {float(value)!r}"


def label_text(label: tuple[str, str]) -> str:
    name, value = label
    # the format has an escape of its own for line feeds
    lines = "\n".join(map(escape_text, value.split("\n")))
    escaped = lines.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{name}="{escaped}"'
