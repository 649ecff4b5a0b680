# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a cluster refuses an access, where the general words for a refusal do not say enough."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import ScanError

# How the API server words these two (Kubernetes 1.25 to 1.37). The rule may be cut off: it repeats each pod's
# name.
_ESCALATION = re.compile(
    r"attempting to grant RBAC permissions not currently held:.*?Resources:\[\"([^\"]+)\"\]"
    r"(?:.*?Verbs:\[([^\]]+)\])?",
    re.DOTALL,
)
_TERMINATING = "because it is being terminated"


def is_escalation(error: ScanError) -> bool:
    """Whether RBAC refused an access because the grantor does not hold what it would hand out."""
    return bool(_ESCALATION.search(error.message))


def access_incomplete(error: ScanError, left: Sequence[str]) -> ScanError:
    """The failure to make an access, from what came back.

    :param left: what could not be taken back, one text for each object; then the failure is access_remains
    """
    cause, advice = _explained(error)
    if left:
        return ScanError(
            "access_remains",
            "{}; and not removed again: {}".format(error.message, "; ".join(left)),
            tried=error.tried,
            cause=cause,
        )
    return ScanError("access_incomplete", error.message, tried=error.tried, cause=cause, advice=advice)


def _explained(error: ScanError) -> tuple[str, str]:
    """Cause and advice; an empty advice leaves that of the kind."""
    escalation = _ESCALATION.search(error.message)
    if escalation:
        verbs = (escalation.group(2) or "").replace('"', "").replace(" ", " and ")
        return (
            "RBAC lets nobody hand out what they do not hold: the grantor lacks {} on {}.".format(
                verbs or "a verb", escalation.group(1)
            ),
            "",
        )
    if _TERMINATING in error.message:
        return (
            "The namespace is being deleted.",
            "Leave the namespace out; nothing can be made in it any more.",
        )
    if error.reason == "server_error":
        return error.cause, error.advice
    return error.cause, error.advice if error.reason != "not_permitted" else ""
