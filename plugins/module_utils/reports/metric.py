# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a metric is, and one value of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A gauge. `labels` are those that it has beside the labels of what it is about: host and cluster, or fleet."""

    name: str
    text: str
    labels: tuple[str, ...] = ()


# name, labels, value
Sample = tuple[str, Mapping[str, str], float]
