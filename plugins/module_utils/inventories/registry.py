# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of sources, one file each."""

from __future__ import annotations

from .argocd import ARGOCD
from .cluster_api import CLUSTER_API
from .kubeconfig import KUBECONFIG
from .open_cluster_management import OPEN_CLUSTER_MANAGEMENT
from .source import SourceKind
from .static import STATIC

SOURCES: tuple[SourceKind, ...] = (KUBECONFIG, CLUSTER_API, ARGOCD, OPEN_CLUSTER_MANAGEMENT, STATIC)
