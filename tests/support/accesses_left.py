# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accesses that are in the cluster."""

from __future__ import annotations

LABEL = "app.kubernetes.io/managed-by=securescan.kubernetes"
KINDS = "serviceaccounts,roles,rolebindings"


def left(cluster) -> str:
    return cluster.kubectl("get", KINDS, "--all-namespaces", "-l", LABEL, "-o", "name")
