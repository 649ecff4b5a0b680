# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server's own id: the uid of the namespace kube-system, which lives as long as the cluster."""

from __future__ import annotations

import re

from ..errors import ScanError
from .rest import RestClient

_PATH = "/api/v1/namespaces/kube-system"
_UID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def read_cluster_uid(client: RestClient) -> str | None:
    """The id; None where it cannot be read. No scan depends on it, and a lost connection shows at the next request.

    :raises ScanError: cancelled
    """
    try:
        metadata = client.get_metadata(_PATH).get("metadata")
    except ScanError as error:
        if error.reason == "cancelled":
            raise
        return None
    uid = metadata.get("uid") if isinstance(metadata, dict) else None
    return uid if isinstance(uid, str) and _UID.fullmatch(uid) else None
