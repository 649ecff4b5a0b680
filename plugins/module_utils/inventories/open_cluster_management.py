# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of Open Cluster Management: the ManagedCluster objects of a hub.

Such an object says where its cluster is, and holds no credential. A Secret in the cluster's namespace on the hub holds one, such
as that of a managed service account. No other credential is ever sent to the address: the cluster's own agent can write the
object, its labels, claims and address.

Source: open-cluster-management.io/api, group cluster.open-cluster-management.io, v1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..cluster.kubeconfig_secret import FORMATS, TOKEN
from ..errors import ScanError
from ..safe_text import server_text
from .found_cluster import FoundCluster, first_of, texts_by_name
from .hub import HUB_SPEC, hub_client, own_connection, secret_connection, selecting
from .name_format import filled, has_known_fields
from .source import Options, SourceKind, Surroundings

_PATH = "/apis/cluster.open-cluster-management.io/v1/managedclusters"
# The hub's own object has this name, and a label of it. The label alone any cluster's agent can write.
_HUB = "local-cluster"
_ADDRESS = 1024
_PROVIDER = ("cloud", "provider")
_PROVIDER_CLAIM = ("platform.open-cluster-management.io",)
_REGION = ("region", "topology.kubernetes.io/region")
_REGION_CLAIM = ("region.open-cluster-management.io",)
_VERSION_CLAIM = ("kubeversion.open-cluster-management.io",)


def find_clusters(options: Options, around: Surroundings) -> Iterator[FoundCluster]:
    """:raises ScanError: what a request to the hub can fail with; bad_option"""
    for key in ("namespace", "name"):
        if not has_known_fields(options["secret"][key], ("name",)):
            raise ScanError("bad_option", f"secret.{key} can have the field {{name}}, and no other")
    strangers = 0
    with hub_client(options, around) as client:
        for item in client.list_items(_PATH, selecting(options)):
            # whoever has the hub's bootstrap token can ask for such an object
            if (item.get("spec") or {}).get("hubAcceptsClient"):
                yield _of_object(item, options, around)
            else:
                strangers += 1
    if strangers:
        around.warnings.append(
            f"{strangers} ManagedClusters are left out, because the hub has not accepted them"
        )


def _of_object(item: Mapping[str, Any], options: Options, around: Surroundings) -> FoundCluster:
    metadata, spec, status = item["metadata"], item.get("spec") or {}, item.get("status") or {}
    name = metadata["name"]
    what = f"the ManagedCluster {name}"
    labels = texts_by_name((metadata.get("labels") or {}).items(), what)
    claims = texts_by_name(
        ((each.get("name") or "", each.get("value")) for each in status.get("clusterClaims") or []), what
    )
    return FoundCluster(
        names={"name": name},
        origin=f"{what} of the hub",
        connection=_connection(name, labels, spec, options, around),
        labels=labels,
        provider=first_of(labels, *_PROVIDER) or first_of(claims, *_PROVIDER_CLAIM),
        region=first_of(labels, *_REGION) or first_of(claims, *_REGION_CLAIM),
        version=(status.get("version") or {}).get("kubernetes") or first_of(claims, *_VERSION_CLAIM),
        claims=claims,
        conditions=texts_by_name(
            ((each.get("type") or "", each.get("status")) for each in status.get("conditions") or []), what
        ),
    )


def _connection(
    name: str, labels: Mapping[str, str], spec: Mapping[str, Any], options: Options, around: Surroundings
) -> Mapping[str, Any]:
    if name == _HUB and labels.get(_HUB) == "true":
        return own_connection(options, around)
    addresses = spec.get("managedClusterClientConfigs") or []
    host = next((each["url"] for each in addresses if each.get("url")), "")
    if len(host) > _ADDRESS or not (host.isascii() and host.isprintable()):
        raise ScanError(
            "bad_reply", f"the ManagedCluster {name} has an address that is none: {server_text(host)}"
        )
    secret = options["secret"]
    reference = {
        "namespace": filled(secret["namespace"], {"name": name}),
        "name": filled(secret["name"], {"name": name}),
        "format": secret["format"],
        **({"key": secret["key"]} if secret.get("key") else {}),
    }
    return secret_connection(
        options, around, reference, **({"host": host} if secret["format"] == TOKEN else {})
    )


OPEN_CLUSTER_MANAGEMENT = SourceKind(
    "open_cluster_management",
    {
        **HUB_SPEC,
        "secret": {
            "type": "dict",
            "required": True,
            "no_log": False,
            "options": {
                "name": {"type": "str", "required": True},
                "namespace": {"type": "str", "default": "{name}"},
                "key": {"type": "str", "no_log": False},
                "format": {"type": "str", "choices": list(FORMATS), "default": TOKEN},
            },
        },
    },
    ("name",),
    find_clusters,
)
