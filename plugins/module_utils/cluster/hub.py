# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connects to a cluster by the kubeconfig that lies in a Secret of its hub. It is read when the cluster is reached, kept
in memory, and gone with the task."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Mapping

from ..errors import ScanError
from ..safe_text import server_text
from .connection import ClusterConnection, ConnectionOptions, connect
from .kubeconfig import load_kubeconfig
from .kubeconfig_secret import TOKEN, KubeconfigSecret, check_foreign, kubeconfig_of
from .request_log import RequestLog
from .rest import RestClient

_HUB = "hub"
_OF_THE_OPERATOR = "K8S_AUTH_"


def connect_as_given(
    options: ConnectionOptions,
    environ: Mapping[str, str],
    log: RequestLog | None = None,
    cancel: threading.Event | None = None,
) -> ClusterConnection:
    """The connection that the options describe: `connect`, after the Secret of the hub was read where one is named.

    :param cancel: ends the wait for the hub
    :raises ScanError: as `connect`; bad_hub_secret, foreign_kubeconfig, and what a request to the hub can fail with
    """
    reference = options.kubeconfig_secret
    if reference is None:
        if options.hub_kubeconfig or options.hub_context:
            raise ScanError("bad_option", "hub_kubeconfig and hub_context need kubeconfig_secret")
        return connect(options, environ, log)
    _check_alone(options, reference)
    hub, data = _read_secret(options, reference, environ, log, cancel)
    document = kubeconfig_of(reference, data, options.host or "")
    try:
        choice = load_kubeconfig(document, options.context)
        check_foreign(reference, choice, options.validate_certs is not None)
        if options.proxy_headers and not options.proxy and choice.cluster.text("proxy-url"):
            raise ScanError(
                "foreign_kubeconfig",
                f"the kubeconfig of {reference} names the proxy that proxy_headers would be sent to (proxy-url)",
                advice="Name the proxy by the option proxy, or leave proxy_headers out.",
            )
        # The variables are about the hub: none of them changes how its clusters are reached.
        connection = connect(
            dataclasses.replace(
                options, kubeconfig=document, kubeconfig_secret=None, hub_kubeconfig=None, hub_context=None
            ),
            {name: value for name, value in environ.items() if not name.startswith(_OF_THE_OPERATOR)},
            log,
        )
    except ScanError as error:
        if error.reason in ("bad_file", "no_credential", "bad_option"):
            # "the kubeconfig" of these messages is that of the Secret, whose names others have chosen
            raise ScanError(
                "bad_hub_secret",
                f"{reference}: {server_text(error.message)}",
                cause=server_text(error.cause),
                advice=server_text(error.advice),
            ) from None
        raise
    connection.warnings = tuple(dict.fromkeys((*hub.warnings, *connection.warnings)))
    return connection


def _check_alone(options: ConnectionOptions, reference: KubeconfigSecret) -> None:
    """Refuse options beside the Secret that say something else, or would send the operator's own credential to a server
    that the Secret names.

    :raises ScanError: bad_option
    """
    if options.kubeconfig or options.in_cluster or options.has_credential:
        raise ScanError(
            "bad_option", "kubeconfig_secret excludes kubeconfig, in_cluster and every credential"
        )
    if options.host and not options.host.strip():
        raise ScanError("bad_option", "host is empty")
    if reference.format == TOKEN and options.context:
        raise ScanError("bad_option", "a token has no contexts: leave context out")


def _read_secret(
    options: ConnectionOptions,
    reference: KubeconfigSecret,
    environ: Mapping[str, str],
    log: RequestLog | None,
    cancel: threading.Event | None,
) -> tuple[ClusterConnection, Mapping[str, str]]:
    tried = f"reading {reference} of the hub"
    client = None
    try:
        hub = connect(
            ConnectionOptions(kubeconfig=options.hub_kubeconfig, context=options.hub_context), environ, log
        )
        hub.role = _HUB
        client = RestClient(hub, cancel=cancel)
        found = client.get(f"/api/v1/namespaces/{reference.namespace}/secrets/{reference.name}")
    except ScanError as error:
        raise ScanError(
            error.reason, error.message, tried=tried, cause=error.cause, advice=_advice(error, reference)
        ) from None
    finally:
        if client is not None:
            client.close()
    return hub, {key: value for key, value in (found.get("data") or {}).items() if value is not None}


def _advice(error: ScanError, reference: KubeconfigSecret) -> str:
    if error.reason == "not_permitted":
        return (
            f"Grant the hub's credential the verb get on the Secret {reference.name} in the namespace "
            f"{reference.namespace} of the hub (docs/manifests/hub-secrets-role.yml)."
        )
    if error.reason == "not_found":
        return "Look for the Secret on the hub: its cluster was removed, or has no kubeconfig yet."
    if error.reason == "no_credential":
        return "Say how the hub is reached: hub_kubeconfig and hub_context, or the K8S_AUTH_* variables."
    return error.advice
