# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a helper pod of the approach `image` was not made, told apart for the operator."""

from __future__ import annotations

import re

from ..errors import ScanError

# An API server without image volumes drops the field that it does not know, and is left with a volume of no kind.
_NO_IMAGE_VOLUMES = re.compile(r"volumes\[\d+\]: Required value: must specify a volume type|strict decoding error|"
                               r"volumes\[\d+\]\.image: Forbidden")
_NAMESPACE = re.compile(r'namespaces? "[^"]+" not found|namespace \S+ because it is being terminated')


def creation_refusal(error: ScanError, namespace: str) -> ScanError:
    """What the API server's refusal of a helper pod in that namespace means; other failures as they are."""
    if error.reason == "invalid_request" and _NO_IMAGE_VOLUMES.search(error.message):
        return ScanError("image_volumes_unsupported", error.message, tried=error.tried)
    if _NAMESPACE.search(error.message):
        return ScanError("helper_refused", error.message, tried=error.tried,
                         cause="The namespace for helper pods, %s, is not there." % namespace,
                         advice="Create it, or name another (helper_namespace).")
    if error.reason in ("not_permitted", "invalid_request"):
        return ScanError("helper_refused", error.message, tried=error.tried, cause=error.cause)
    return error
