# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that a source has found, and the variables of its host.

It holds how the cluster is reached, by reference: paths, names of contexts, the name of a Secret on a hub. It never holds a
secret, so neither does the inventory, its cache, or what `ansible-inventory --list` prints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ScanError
from ..safe_text import kept_values

# Far beyond what the API server allows of an object: 262,144 bytes of annotations, labels of 63 characters.
_LABELS = 500
_TEXT_LENGTH = 1024
_PREFIX = "scan_"


@dataclass(frozen=True)
class FoundCluster:
    """
    :param names: by what its host can be named: the fields of `name_format`
    :param origin: where it was found, for messages
    :param connection: options of the connection (options/connection.py) by their names, none of them a secret
    :param labels: those that the source has for it
    :param provider: such as aws; "" unknown, `region` and `version` (of Kubernetes) likewise
    :param claims: what the cluster says of itself to its hub
    :param conditions: the status of each condition by its type, as the hub sees the cluster
    """

    names: Mapping[str, str]
    origin: str
    connection: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    provider: str = ""
    region: str = ""
    version: str = ""
    claims: Mapping[str, str] = field(default_factory=dict)
    conditions: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Characters of what others write about the cluster."""
        texts = (self.labels, self.claims, self.conditions)
        return sum(len(name) + len(value) for each in texts for name, value in each.items())

    def variables(self, source: str) -> dict[str, Any]:
        """The variables of the host: those of the cluster, and those of the roles for its connection.

        :param source: the type of the source
        """
        about = {
            "cluster_name": self.names.get("name", ""),
            "cluster_source": source,
            "cluster_origin": self.origin,
            "cluster_provider": self.provider,
            "cluster_region": self.region,
            "cluster_version": self.version,
            "cluster_labels": dict(self.labels),
            "cluster_claims": dict(self.claims),
            "cluster_conditions": dict(self.conditions),
        }
        connection = {
            _PREFIX + name: value for name, value in self.connection.items() if value not in (None, "")
        }
        # the engine runs in the controller: no cluster is logged in to
        return {"ansible_connection": "local", **kept_values(about), **connection}


def texts_by_name(pairs: Iterable[tuple[str, str | None]], what: str) -> dict[str, str]:
    """Labels, claims or conditions of an object, which a hostile hub can have written, sorted by name.

    :param what: they are of, for the error
    :raises ScanError: bad_reply for more or longer texts than any API server keeps
    """
    found = {name: value or "" for name, value in pairs}
    if len(found) > _LABELS:
        raise ScanError("bad_reply", f"{what} has more than {_LABELS} labels, claims or conditions")
    if any(len(text) > _TEXT_LENGTH for pair in found.items() for text in pair):
        raise ScanError(
            "bad_reply", f"{what} has a label, claim or condition of more than {_TEXT_LENGTH} characters"
        )
    return dict(sorted(found.items()))


def first_of(texts: Mapping[str, str], *names: str) -> str:
    """The first of these labels that is set; "" for none."""
    return next((texts[name] for name in names if texts.get(name)), "")
