# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights that a credential of a scan must not have: with them it could do what no scan does."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import ScanError
from .permissions import Permission, Reviews

_RIGHT = re.compile(
    r"(?P<verb>\*|[a-z]+) (?P<resource>\*|[a-z]+(?:/[a-z]+)?)(?:\.(?P<group>[a-z0-9.-]+|\*))?"
)
_MOST = 100


def read_rights(texts: Sequence[str], option: str = "denied_rights") -> list[Permission]:
    """Of texts such as "get secrets" and "create clusterrolebindings.rbac.authorization.k8s.io"; `*` means each.

    :param option: where the texts come from

    :raises ScanError: bad_option
    """
    found = []
    for text in texts:
        match = _RIGHT.fullmatch(text.strip())
        if match is None or len(texts) > _MOST:
            raise ScanError(
                "bad_option",
                f"{text[:100]!r} is no right such as 'get secrets' or 'create roles.rbac.authorization.k8s.io', or there are "
                f"more than {_MOST}",
                tried=f"reading the option {option}",
            )
        found.append(Permission(match["group"] or "", match["resource"], match["verb"]))
    return found


def held_rights(reviews: Reviews, wanted: Sequence[Permission], namespace: str = "") -> list[str]:
    """Those of the rights that are held all the same, in words."""
    missing = set(reviews.missing(namespace, wanted))
    return [in_words(one) for one in wanted if one not in missing]


def in_words(right: Permission) -> str:
    return f"{right.verb} {right.resource}" + (f".{right.group}" if right.group else "")
