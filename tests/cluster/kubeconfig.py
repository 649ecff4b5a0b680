# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a kubeconfig: one API server, one client certificate, everything embedded so that the file may be moved."""

from __future__ import annotations

import base64
from pathlib import Path

_TEMPLATE = """\
apiVersion: v1
kind: Config
current-context: {cluster}
clusters:
  - name: {cluster}
    cluster:
      server: {server}
      certificate-authority-data: {authority}
contexts:
  - name: {cluster}
    context:
      cluster: {cluster}
      user: {user}
users:
  - name: {user}
    user:
      client-certificate-data: {certificate}
      client-key-data: {key}
"""


def write(path: Path, cluster: str, server: str, certificates: Path, user: str) -> None:
    """Write `path` (mode 0600) for the certificate of `user` in the folder `certificates`."""
    content = _TEMPLATE.format(
        cluster=cluster,
        server=server,
        user=user,
        authority=_encoded(certificates / "ca.crt"),
        certificate=_encoded(certificates / f"{user}.crt"),
        key=_encoded(certificates / f"{user}.key"),
    )
    path.touch(mode=0o600)
    path.write_text(content)


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
