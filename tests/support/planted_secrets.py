# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that a scan gets to see and never shows."""

from __future__ import annotations

import base64
import pathlib
import re

import yaml

JWT = re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}")
PLANTED = b"planted-and-never-shown"


def grantor_secrets(kubeconfig: pathlib.Path) -> list[bytes]:
    """What of the grantor's kubeconfig must not be seen: key and token, as they stand there and decoded."""
    found = []
    for user in yaml.safe_load(kubeconfig.read_text())["users"]:
        for name, value in user["user"].items():
            if name == "client-key-data":
                decoded = base64.b64decode(value)
                found += [value.encode()[40:120], b"".join(decoded.splitlines()[1:-1])[:60]]
            elif name == "token":
                found.append(value.encode())
    assert found, "the test needs a kubeconfig with a secret in it"
    return found
