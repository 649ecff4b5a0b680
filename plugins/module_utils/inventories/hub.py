# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a hub is reached whose objects are clusters, and how its Secrets are referred to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..cluster.connection import ConnectionOptions, connect
from ..cluster.rest import RestClient
from ..options.connection import kubeconfig_secret
from ..options.spec import Spec
from .source import Options, Surroundings

HUB_SPEC: Spec = {
    "kubeconfig": {"type": "path"},
    "context": {"type": "str"},
    "label_selector": {"type": "str"},
    "trusted": {"type": "bool", "default": False},
}


@contextmanager
def hub_client(options: Options, around: Surroundings) -> Iterator[RestClient]:
    """A client of the hub.

    :raises ScanError: as `connect`
    """
    hub = _hub_options(options, around)
    connection = connect(
        ConnectionOptions(kubeconfig=hub.get("kubeconfig"), context=hub.get("context")), around.environ
    )
    connection.role = "hub"
    around.warnings += connection.warnings
    client = RestClient(connection)
    try:
        yield client
    finally:
        client.close()


def secret_connection(
    options: Options, around: Surroundings, secret: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """The connection of a cluster that a Secret of the hub reaches.

    :param secret: the option kubeconfig_secret
    :raises ScanError: bad_option for names that no Secret can have, which a hostile hub gives
    """
    kubeconfig_secret(secret)
    if options["trusted"]:
        secret = {**secret, "trusted": True}
    hub = {f"hub_{name}": value for name, value in _hub_options(options, around).items()}
    return {"kubeconfig_secret": secret, **hub, **more}


def own_connection(options: Options, around: Surroundings) -> dict[str, Any]:
    """The connection of the hub itself; empty where the environment reaches it."""
    return _hub_options(options, around)


def selecting(options: Options) -> dict[str, str]:
    """The query that leaves out what the label selector does."""
    return {"labelSelector": options["label_selector"]} if options["label_selector"] else {}


def _hub_options(options: Options, around: Surroundings) -> dict[str, Any]:
    given = {"context": options["context"]} if options["context"] else {}
    if options["kubeconfig"]:
        given["kubeconfig"] = str(around.path(options["kubeconfig"]))
    return given
