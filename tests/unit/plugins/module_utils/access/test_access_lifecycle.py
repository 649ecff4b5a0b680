# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making and removing an access where the server misbehaves: nothing half-made stays, and it is said what did."""

from __future__ import annotations

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.access import lifecycle
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault


def ours(server):
    return [path for path in server.objects.paths() if "/securescan-" in path]


def test_six_objects_are_made_and_removed(client, plan, server):
    outcomes = lifecycle.ensure_present(client, plan)
    assert [(outcome.changed, outcome.is_new, outcome.expires) for outcome in outcomes] == [
        (True, True, plan.expires)
    ] * 2
    assert len(ours(server)) == 6
    assert lifecycle.namespaces_of_run(client, "run-1") == ["billing", "shop"]
    assert not any(outcome.changed for outcome in lifecycle.ensure_present(client, plan))
    lifecycle.ensure_absent(client, "run-1", ["billing", "shop"])
    assert not ours(server)


@pytest.mark.parametrize("kind", ["serviceaccounts", "roles", "rolebindings"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=403, reason="Forbidden", text="no"),
        Fault("status", status=500, reason="InternalError", text='failed calling webhook "w": timeout'),
        Fault("silence"),
        Fault("cut", after=20),
        Fault("garbage", text="nonsense"),
    ],
    ids=["403", "500", "silence", "cut", "garbage"],
)
def test_a_failure_leaves_nothing_in_its_namespace_and_the_other_stands(kind, fault, client, plan, server):
    server.faults.append(Fault(**dict(vars(fault), on=f"POST .*/namespaces/billing/{kind}")))
    if fault.kind == "silence":
        client._timeout = 2.0
    shop, billing = lifecycle.ensure_present(client, plan)
    assert shop.error is None
    assert (billing.error.reason, billing.changed, billing.expires) == ("access_incomplete", False, None)
    assert len(ours(server)) == 3
    assert all("/namespaces/shop/" in path for path in ours(server))


def test_what_could_not_be_taken_back_is_said(client, plan, server):
    server.faults.append(Fault("status", on="POST .*/roles", status=403, reason="Forbidden", text="no roles"))
    server.faults.append(
        Fault("status", on="DELETE .*/serviceaccounts", status=403, reason="Forbidden", text="stays")
    )
    outcome = lifecycle.ensure_present(client, plan)[0]
    assert outcome.error.reason == "access_remains"
    assert "no roles; and not removed again: ServiceAccount: stays" in outcome.error.message


def test_an_interrupt_removes_what_was_made_in_all_namespaces(client, plan, server, monkeypatch):
    create = type(client).create

    def interrupted(self, path, body, query=None):
        if "/billing/rolebindings" in path:
            create(self, path, body, query)
            raise KeyboardInterrupt  # it came after the server had made the object
        return create(self, path, body, query)

    monkeypatch.setattr(type(client), "create", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lifecycle.ensure_present(client, plan)
    assert not ours(server)


def test_an_account_that_lost_its_labels_does_not_pass_for_removed(client, plan, server):
    lifecycle.ensure_present(client, plan)
    path = "/api/v1/namespaces/shop/serviceaccounts/securescan-run-1"
    account = server.objects.find(path)
    account["metadata"]["labels"] = {}
    server.objects.put(path, account)
    (outcome,) = lifecycle.ensure_absent(client, "run-1", ["shop"])
    assert outcome.error.reason == "access_remains"
    assert ours(server)[0].startswith("/api/v1/namespaces/billing")
    assert [item for item in ours(server) if "/shop/" in item] == [path]


def test_renewal_keeps_owner_and_expiry(client, plan, server):
    lifecycle.ensure_present(client, plan)
    fewer = lifecycle.Grant("shop", plan.grants[0].pods[:1])
    (outcome,) = lifecycle.ensure_renewed(client, "run-1", [fewer])
    assert (outcome.error, outcome.expires) == (None, plan.expires)
    role = server.objects.find("/apis/rbac.authorization.k8s.io/v1/namespaces/shop/roles/securescan-run-1")
    assert role["rules"][0]["resourceNames"] == ["api-1"]
    assert role["metadata"]["labels"] == plan.labels()
    (outcome,) = lifecycle.ensure_renewed(client, "another", [fewer])
    assert outcome.error.reason == "access_incomplete"
