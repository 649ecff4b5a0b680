# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages access-denials.md and debug-denials.md in docs/evidence/.

They are made from what the API server and the kubelet answered to a scanner's token.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
PAGE, DEBUG_PAGE = DOCS / "evidence" / "access-denials.md", DOCS / "evidence" / "debug-denials.md"
WRITE = "SECURESCAN_WRITE_DOCS"
Row = tuple[str, str, str]

_TEXT = """\
<!-- Made by tests/integration/test_access_denials.py with %s=FOLDER of docs; changes here are lost. -->

# What a scanner's token cannot do

Each row was tried with the token of a real scan on a real cluster (Kubernetes %s). The access was made for the pods of
one Deployment of the namespace `shop` by an operator who holds the shipped ClusterRole and nothing else.
`{pod}` is a chosen pod, `{other}` another pod of the same namespace, `{account}` the scan's ServiceAccount, Role and
RoleBinding, `{node}` the node.

## Refused: %d attempts

%s

## Allowed

The first rows are what the Role gives. The rest is what Kubernetes lets every ServiceAccount do.

%s

## The end of a token

The API server allows for a minute of difference between clocks, so a token works for up to a minute longer than it
says. The tokens past their end are real ones of the scan, signed anew by the cluster's own key with earlier times: the
API gives none that lives for less than ten minutes. After a removal, the rights are gone at once, and the API server
forgets within ten seconds that it has accepted the token before.

%s
"""

_DEBUG_TEXT = """\
<!-- Made by tests/integration/test_debug_denials.py with %s=FOLDER of docs; changes here are lost. -->

# What the token of a scanner by debug cannot do

As in [access-denials.md](access-denials.md), with an access for the approach `debug`, which also lets the scanner put
ephemeral containers into the chosen pods (Kubernetes %s). `{pod}` is a chosen pod, `{other}` another pod of the same
namespace, `{account}` the scan's ServiceAccount, Role and RoleBinding, `{debug}` an ephemeral container of the chosen pod.

## Refused by RBAC: %d attempts

%s

## Let in by RBAC, and held by the rules for ephemeral containers

No right of ours is behind these: whoever may patch `pods/ephemeralcontainers` can add containers to the pod, and nothing
else. The pod was the same afterwards, also where the answer was 200. What such a container may be is for Pod Security and
the cluster's policies to say: where they are silent, the scanner could add one with privileges.

%s

## Allowed

%s
"""


def debug_page(version: str, denied: Sequence[Row], held: Sequence[Row], allowed: Sequence[Row]) -> str:
    return _DEBUG_TEXT % (
        WRITE,
        version,
        len(denied),
        _table("attempt", denied),
        _table("attempt", held),
        _table("what", allowed),
    )


def page(version: str, denied: Sequence[Row], allowed: Sequence[Row], ended: Sequence[Row]) -> str:
    return _TEXT % (
        WRITE,
        version,
        len(denied),
        _table("attempt", denied),
        _table("what", allowed),
        _table("when", ended),
    )


def _table(first: str, rows: Sequence[Row]) -> str:
    lines = [f"| {first} | request | answer |", "| --- | --- | --- |"]
    return "\n".join(lines + ["| {} | `{}` | {} |".format(*row) for row in rows])


def check_or_write(text: str, path: pathlib.Path = PAGE) -> None:
    """Writes the page where the environment asks for it; otherwise what is committed must be what came out now."""
    folder = os.environ.get(WRITE)
    if folder:
        (pathlib.Path(folder) / path.name).write_text(text, encoding="utf-8")
    else:
        assert path.exists(), f"run the test with {WRITE}=FOLDER of docs"
        assert path.read_text(encoding="utf-8") == text, f"run the test with {WRITE}=FOLDER of docs"
