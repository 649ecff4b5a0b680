# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import threading
from typing import Any

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.plugins.module_utils.results.teams import Ownership, TeamRules
from ansible_collections.securescan.kubernetes.plugins.module_utils.scanning.namespace_owners import (
    namespace_owners,
)
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault
from ansible_collections.securescan.kubernetes.tests.fake_api_server.server import FakeApiServer

pytest_plugins = ["ansible_collections.securescan.kubernetes.tests.support.fake_cluster"]

RULES = TeamRules.of_mapping(
    {
        "team": {"labels": ["team"], "annotations": ["owner"]},
        "environment": {"labels": ["env"]},
        "namespaces": [{"namespace": "known", "team": "known-team", "environment": "prod"}],
    }
)


def owners(client: RestClient, *namespaces: str) -> tuple[dict[str, Ownership], list[str]]:
    warnings: list[str] = []
    return namespace_owners(
        client, "test", namespaces, RULES, cancel=threading.Event(), warnings=warnings
    ), warnings


def put(server: FakeApiServer, name: str, labels: Any, annotations: Any = None) -> None:
    metadata = {"name": name, "labels": labels, "annotations": annotations}
    server.objects.put(
        f"/api/v1/namespaces/{name}", {"kind": "Namespace", "apiVersion": "v1", "metadata": metadata}
    )


def test_only_namespaces_are_read_whose_labels_the_rules_need(
    server: FakeApiServer, client: RestClient
) -> None:
    put(server, "shop", {"team": "shop-team", "env": "prod"})
    put(server, "web", {}, {"owner": "web-team"})
    found, warnings = owners(client, "shop", "web", "known")
    assert found == {
        "shop": Ownership("shop-team", "prod"),
        "web": Ownership("web-team", ""),
        "known": Ownership("known-team", "prod"),
    }
    assert warnings == []
    assert not [one for one in server.requests if "namespaces/known" in one.path]


def test_a_namespace_that_cannot_be_read_has_no_team_and_is_named(
    server: FakeApiServer, client: RestClient
) -> None:
    put(server, "shop", {"team": "shop-team"})
    server.faults.append(Fault("status", "GET /api/v1/namespaces/web", status=403))
    found, (warning,) = owners(client, "shop", "web", "known")
    assert found["web"] == Ownership() and found["shop"].team == "shop-team"
    assert warning.startswith(
        "team and environment of namespace web are known only as far as the rules give them"
    )
    assert "grant get on namespaces" in warning


def test_a_hostile_label_is_no_team_and_does_not_reach_the_warning(
    server: FakeApiServer, client: RestClient
) -> None:
    put(server, "shop", {"team": "other\x1b[1A\u202e"}, {"owner": "other"})
    found, (warning,) = owners(client, "shop")
    assert found["shop"].team == ""
    assert (
        warning
        == "namespace shop: the value of team is no name of a team or an environment, and counts for nothing"
    )


@pytest.mark.parametrize("labels", ["team=other", ["team"], 7, {"team": ["other"]}])
def test_labels_of_another_shape_are_none(server: FakeApiServer, client: RestClient, labels: Any) -> None:
    put(server, "shop", labels)
    found, _warnings = owners(client, "shop")
    assert found["shop"].team == ""


def test_a_cancelled_scan_ends(server: FakeApiServer, client: RestClient) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(ScanError, match="cancelled"):
        namespace_owners(client, "test", ["shop"], RULES, cancel=cancel, warnings=[])
