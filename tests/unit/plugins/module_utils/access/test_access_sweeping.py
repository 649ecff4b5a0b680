# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeping where lists come in pages, fail in one namespace, or change meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ansible_collections.securescan.kubernetes.plugins.module_utils.access.lifecycle import ensure_present
from ansible_collections.securescan.kubernetes.plugins.module_utils.access.sweep import sweep
from ansible_collections.securescan.kubernetes.tests.fake_api_server.faults import Fault

LATER = timedelta(seconds=601)


def test_all_pages_are_swept(client, server):
    for number in range(1200):
        name = f"securescan-{number}"
        labels = {
            "app.kubernetes.io/managed-by": "securescan.kubernetes",
            "securescan.kubernetes/run-id": str(number),
            "securescan.kubernetes/expires": "20200101T000000Z",
        }
        server.objects.put(
            f"/api/v1/namespaces/n{number % 3}/serviceaccounts/{name}",
            {"metadata": {"name": name, "namespace": f"n{number % 3}", "labels": labels}},
        )
    done = sweep(client, datetime.now(timezone.utc), check_mode=True)
    assert len(done.removed) == 1200
    done = sweep(client, datetime.now(timezone.utc))
    assert len({item["name"] for item in done.removed}) == 1200
    assert not [path for path in server.objects.paths() if "securescan-" in path]


def test_a_namespace_that_fails_does_not_keep_the_others_from_being_swept(client, plan, server):
    ensure_present(client, plan)
    server.faults.append(Fault("status", on="GET .*/shop/", status=403, reason="Forbidden", text="not there"))
    done = sweep(client, plan.expires + LATER, ["shop", "billing"])
    assert {item["namespace"] for item in done.removed} == {"billing"}
    assert [what for what, _error in done.failures] == [
        "RoleBindings of namespace shop",
        "Roles of namespace shop",
        "ServiceAccounts of namespace shop",
    ]


def test_a_credential_for_accounts_elsewhere_is_asked_for_no_more_than_scans_need(client, plan, server):
    """Where the ServiceAccounts have a namespace of their own, the grantor cannot list them elsewhere, and no Roles there."""
    ensure_present(client, plan)
    for place in (".*/shop/serviceaccounts", ".*/accounts/(roles|rolebindings)"):
        server.faults.append(Fault("status", on=f"GET {place}", status=403, reason="Forbidden", text="no"))
    now = plan.expires + LATER

    done = sweep(client, now, ["shop", "accounts"], check_mode=True, home="accounts")
    assert not done.failures
    assert [item["kind"] for item in done.removed] == ["RoleBinding", "Role"]

    # without that namespace these are objects that nobody has looked for
    blind = sweep(client, now, ["shop", "accounts"], check_mode=True)
    assert [what for what, _error in blind.failures] == [
        "ServiceAccounts of namespace shop",
        "RoleBindings of namespace accounts",
        "Roles of namespace accounts",
    ]

    # what scans do make there is still needed
    server.faults.append(Fault("status", on="GET .*/shop/roles", status=403, reason="Forbidden", text="no"))
    done = sweep(client, now, ["shop"], check_mode=True, home="accounts")
    assert [what for what, _error in done.failures] == ["Roles of namespace shop"]


def test_the_second_of_the_expiry_is_past(client, plan):
    ensure_present(client, plan)
    assert not sweep(client, plan.expires - timedelta(seconds=1)).removed
    assert len(sweep(client, plan.expires).removed) == 6


def test_what_changes_or_goes_meanwhile_is_no_failure(client, plan, server):
    ensure_present(client, plan)
    server.faults.append(
        Fault("status", on="DELETE .*/shop/roles/", status=409, reason="Conflict", text="changed")
    )
    server.faults.append(
        Fault("status", on="DELETE .*/billing/roles/", status=404, reason="NotFound", text="gone")
    )
    done = sweep(client, plan.expires)
    assert not done.failures
    assert [(item["kind"], item["namespace"], item["why"]) for item in done.kept] == [
        ("Role", "shop", "it was changed at this moment")
    ]
    assert len(done.removed) == 4
