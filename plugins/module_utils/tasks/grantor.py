# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The grantor's connection to the cluster, from a task's options."""

from __future__ import annotations

from typing import Any, Mapping

from ..cluster.connection import ClusterConnection, connect
from ..options import connection_options
from .context import TaskContext


def connect_grantor(params: Mapping[str, Any], context: TaskContext) -> ClusterConnection:
    """The connection that the task's options and environment describe; its warnings become the task's."""
    connection = connect(connection_options(params), context.environ)
    context.warnings += connection.warnings
    return connection
