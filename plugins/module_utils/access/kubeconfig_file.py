# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file with the scanner's kubeconfig: written where it is not current, with the tokens of an access."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..cluster.rest import RestClient
from .access_diff import Diff, objects_text
from .lifecycle import NamespaceOutcome
from .objects import AccessPlan
from .scanner import remaining_lifetime
from .scanner_kubeconfig import for_display, is_current, kubeconfig, write_private
from .token import request_token, wait_until_effective


class KubeconfigFile:
    """Where the scanner's kubeconfig is to be, and what stands there now (None: no file)."""

    def __init__(self, path: Path, found: Mapping[str, Any] | None) -> None:
        self.path = path
        self._found = found

    def ensure(
        self, client: RestClient, plan: AccessPlan, outcomes: Sequence[NamespaceOutcome], check_mode: bool
    ) -> Diff:
        """Writes the file, with new tokens, where it is not current; the diff, empty where it is.

        :raises ScanError: write_failed; as the client
        """
        connection = client.connection
        expiries = {outcome.namespace: outcome.expires for outcome in outcomes if outcome.expires}
        accounts = {outcome.namespace: outcome.account_uid for outcome in outcomes if outcome.expires}
        expires = min(expiries.values())
        wanted = kubeconfig(connection, plan.run_id, accounts, expires)
        if is_current(self._found, wanted):
            return []
        if not check_mode:
            tokens = {}
            for grant in plan.grants:
                if grant.namespace in expiries:
                    lifetime = remaining_lifetime(expiries[grant.namespace])
                    token = request_token(
                        client, plan.run_id, grant.namespace, lifetime, grant.account_namespace
                    )
                    tokens[grant.namespace] = token
                    wait_until_effective(RestClient(connection.with_bearer_token(token.value)), grant)
            write_private(self.path, kubeconfig(connection, plan.run_id, accounts, expires, tokens))
        return self.diff(wanted)

    def diff(self, after: Mapping[str, Any] | None) -> Diff:
        """What changes in the file, without its tokens. `after`: None where it is deleted."""
        before, then = (
            objects_text(for_display(document)) if document else "" for document in (self._found, after)
        )
        return [
            {"before_header": str(self.path), "after_header": str(self.path), "before": before, "after": then}
        ]
