# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Removes the access of a run, and says what remains where that fails."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..cluster.rest import RestClient
from ..errors import ScanError
from .lifecycle import NamespaceOutcome, ensure_absent
from .made_access import NAMED_NAMESPACES, failures_of

# After a failed removal: how long an API server that does not answer is waited for, how often it is asked,
# and the pauses before the next attempts once it answers.
_RETURN_SECONDS = 20.0
_RETURN_ATTEMPTS = 20
_RETURN_PAUSES = (0.5, 1.5)


def revoke(
    client: RestClient,
    run_id: str,
    namespaces: Sequence[str],
    check_mode: bool = False,
    account_namespace: str = "",
) -> list[NamespaceOutcome]:
    """:param account_namespace: where the ServiceAccounts are, as of `ensure_absent`
    :raises ScanError: access_remains, with the first namespaces where something could not be removed"""
    outcomes = ensure_absent(client, run_id, namespaces, check_mode, account_namespace)
    failures = failures_of(outcomes)
    if failures:
        named = [f"{namespace}: {error.message}" for namespace, error in failures[:NAMED_NAMESPACES]]
        more = len(failures) - NAMED_NAMESPACES
        raise ScanError(
            "access_remains",
            "; ".join(named + ([f"and {more} more namespaces"] if more > 0 else [])),
            tried=f"removing the access of run {run_id}",
            cause=failures[0][1].cause,
        )
    return outcomes


def revoke_when_back(
    client: RestClient, run_id: str, namespaces: Sequence[str], account_namespace: str = ""
) -> None:
    """Removes an access, and tries again where the API server did not answer: one that restarts comes back
    within seconds, and knows its Roles a second later.

    :raises ScanError: access_remains, as the last attempt, or the first one where the time for clean-up is over
    """
    end = client.cleanup() if client.cleanup is not None else None
    for pause in _RETURN_PAUSES:
        try:
            revoke(client, run_id, namespaces, account_namespace=account_namespace)
            return
        except ScanError:
            if end is not None and end.is_set():
                raise
            try:
                RestClient(
                    client.connection,
                    patience=_RETURN_SECONDS,
                    attempts=_RETURN_ATTEMPTS,
                    cancel=end,
                ).get("/version")
            except ScanError:
                break  # the last attempt then says what remains
            time.sleep(pause)
    revoke(client, run_id, namespaces, account_namespace=account_namespace)
