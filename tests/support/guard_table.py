# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/evidence/guard-denials.md: what the API server answered to a scanner's token, with and without the guard."""

from __future__ import annotations

from collections.abc import Sequence

from .denials_table import DOCS, WRITE

PAGE = DOCS / "evidence" / "guard-denials.md"
Row = tuple[str, str, str, str, str]

_TEXT = """\
<!-- Made by tests/integration/test_guard_denials.py with %s=FOLDER of docs; changes here are lost. -->

# What only the guard refuses

Each request was made twice with the token of a scanner, on a real cluster (Kubernetes %s): without the guard, and with it
([guard.md](../guard.md)). `{pod}` is a chosen pod with the container `app`, `{targets}` its namespace, `{helpers}` the
namespace for helper pods, `{node}` the node, `{account}` and `{run}` the scan's ServiceAccount and run id. What changes
something was sent as a dry run.

## Within the rights of a scan: %d attempts

The scanner had the Roles of a scan by `debug` over the pod, and of a scan by `image` over its helper pods.

%s

## Beyond them: %d attempts

Somebody has bound the scanner's ServiceAccount to cluster-admin besides. The guard still lets it change nothing.

%s

## Borrowing the scanner: %d attempts

Somebody is allowed to make pods, Secrets, ServiceAccounts and tokens in the targets' namespace, and not to enter its
pods. The option `grantors` named the grantor.

%s

## By the grantor: %d attempts

The grantor has the shipped ClusterRoles in the whole cluster. `{grantor_role}` is one of them.

%s

## Allowed

%s

Of the grantor:

%s

The requests of the first two tables were answered to another ServiceAccount as if the guard were not there, and so were an
administrator's.
"""


def page(version: str, denied: Sequence[Sequence[Row]], allowed: Sequence[Sequence[Row]]) -> str:
    """:param denied: the attempts within a scan's rights, beyond them, at borrowing it, and by the grantor
    :param allowed: what is let through of a scanner, and of the grantor
    """
    counted = [part for rows in denied for part in (len(rows), _table("attempt", rows))]
    return _TEXT % (WRITE, version, *counted, *(_table("what", rows) for rows in allowed))


def _table(first: str, rows: Sequence[Row]) -> str:
    has_words = any(row[-1] for row in rows)
    columns = [
        first,
        "request",
        "without the guard",
        "with it",
        *(["the guard's words"] if has_words else []),
    ]
    lines = ["| {} |".format(" | ".join(columns)), "|%s" % (" --- |" * len(columns))]
    for what, request, without, with_it, words in rows:
        lines.append(
            "| {} |".format(
                " | ".join([what, f"`{request}`", without, with_it, *([words] if has_words else [])])
            )
        )
    return "\n".join(lines)
