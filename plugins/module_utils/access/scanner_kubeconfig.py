# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scanner's kubeconfig: a file with its tokens, for whoever wants to use them with another program.

It is only made on request, nobody but its owner can ever read it, and only files that this wrote are replaced
or removed. JSON, which every reader of kubeconfigs takes for the YAML that it is.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ..cluster.connection import ClusterConnection
from ..errors import ScanError
from .objects import MANAGED_BY, object_name
from .token import ScannerToken

_OWN_LIMIT = 16 * 1024 * 1024
_HIDDEN = "(a token)"


def kubeconfig(
    connection: ClusterConnection,
    run_id: str,
    accounts: Mapping[str, str],
    expires: datetime,
    tokens: Mapping[str, ScannerToken] | None = None,
) -> dict[str, Any]:
    """A kubeconfig with one context per namespace, named like it; the first is the current one.

    :param accounts: the ServiceAccount's uid by namespace
    :param expires: when the access ends (UTC)
    :param tokens: by namespace; without them, what a person may see of the file
    """
    name, tls = connection.cluster_name, connection.tls()
    cluster: dict[str, Any] = {"server": connection.server}
    if tls.ca_pem is not None:
        cluster["certificate-authority-data"] = base64.b64encode(tls.ca_pem).decode("ascii")
    if not tls.verify:
        cluster["insecure-skip-tls-verify"] = True
    if connection.endpoint.server_name != connection.endpoint.host:
        cluster["tls-server-name"] = connection.endpoint.server_name
    if connection.endpoint.proxy is not None:
        # without the proxy's own credential, which is the operator's
        cluster["proxy-url"] = f"http://{connection.endpoint.proxy.host}:{connection.endpoint.proxy.port}"
    contexts: list[dict[str, Any]] = []
    users: list[dict[str, Any]] = []
    for namespace in accounts:
        user = f"{namespace}/{object_name(run_id)}"
        contexts.append(
            {"name": namespace, "context": {"cluster": name, "namespace": namespace, "user": user}}
        )
        users.append({"name": user, "user": {"token": tokens[namespace].value if tokens else _HIDDEN}})
    mark = {"run_id": run_id, "accounts": dict(accounts), "expires": expires.isoformat()}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "contexts": contexts,
        "users": users,
        "current-context": contexts[0]["name"],
        "extensions": [{"name": MANAGED_BY, "extension": mark}],
    }


def check_place(path: Path) -> dict[str, Any] | None:
    """What stands in the file now, None where there is none.

    :raises ScanError: bad_option, where the file is not one of ours, or its folder cannot be written to
    """
    tried = "looking at the place of the scanner's kubeconfig"
    try:
        with path.open("rb") as file:
            content = file.read(_OWN_LIMIT + 1)
    except FileNotFoundError:
        if path.parent.is_dir() and os.access(str(path.parent), os.W_OK):
            return None
        raise ScanError(
            "bad_option", f"{path.parent} is not a folder that can be written to", tried=tried
        ) from None
    except OSError as error:
        raise ScanError("bad_option", f"{path} cannot be read ({error.strerror})", tried=tried) from None
    try:
        document = json.loads(content)
        _mark(document)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        raise ScanError(
            "bad_option",
            f"{path} is not a file that this task wrote",
            tried=tried,
            advice="Choose another path, or remove the file; it was not touched.",
        ) from None
    return dict(document)


def is_current(found: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    """Whether the file that was found is for this very access; its tokens then live as long as that.

    :param wanted: without tokens
    """
    return found is not None and for_display(found) == wanted


def run_of(document: Mapping[str, Any]) -> str:
    """The run id that a file of ours is for."""
    return str(_mark(document)["run_id"])


def for_display(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without its tokens."""
    return dict(document, users=[dict(user, user={"token": _HIDDEN}) for user in document["users"]])


def write_private(path: Path, document: Mapping[str, Any]) -> None:
    """Puts the document in the place of the file, as a whole or not at all, with mode 0600 from its first
    byte.

    :raises ScanError: write_failed
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        descriptor = os.open(str(new), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(json.dumps(document, indent=2).encode("utf-8") + b"\n")
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except BaseException:
            new.unlink()
            raise
    except OSError as error:
        raise ScanError(
            "write_failed", f"{path}: {error.strerror}", tried="writing the scanner's kubeconfig"
        ) from None


def delete(path: Path) -> None:
    """Removes the file; that there is none is fine.

    :raises ScanError: write_failed
    """
    try:
        path.unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ScanError(
            "write_failed",
            f"{path}: {error.strerror}",
            tried="removing the scanner's kubeconfig",
            advice="Remove the file by hand; its tokens die with the access.",
        ) from None


def _mark(document: Any) -> Mapping[str, Any]:
    """What a file of ours says of itself; KeyError, TypeError or IndexError for any other."""
    (extension,) = (entry["extension"] for entry in document["extensions"] if entry["name"] == MANAGED_BY)
    return {key: extension[key] for key in ("run_id", "accounts", "expires")}
