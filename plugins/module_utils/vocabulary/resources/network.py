# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listening sockets: ports, port. All containers of a pod share them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...collector.facts import Query
from ..evidence import Absent
from ..resource import Attribute, Field, Parameter, Resource, View, attributes_by_name, needs
from ..tables import constant, table
from ..value_types import BOOLEAN, INTEGER, PORT, TEXT, list_of, one_of_words

SOCKETS = Query("sockets")

_PROTOCOLS = one_of_words("tcp", "udp", "tcp6", "udp6")


def _label(row: Mapping[str, Any]) -> str:
    return "{} {}:{}".format(row["protocol"], row["address"], row["port"])


def _sockets(view: View) -> list[Mapping[str, Any]]:
    def select() -> list[Mapping[str, Any]]:
        rows = view.value(SOCKETS)
        number, protocol = view.params["number"], view.params.get("protocol")
        if isinstance(rows, Absent):
            return []
        return [row for row in rows if row["port"] == number and protocol in (None, row["protocol"])]

    return view.once("sockets", select)  # type: ignore[no-any-return]


def _detail(view: View) -> str:
    return ", ".join(sorted({_label(row) for row in _sockets(view)})[:10])


_PORT = Resource(
    "port",
    "One port number, on any protocol or a given one.",
    lambda params: "Port {}".format(params["number"]),
    lambda params: "at port {}".format(params["number"]),
    attributes_by_name(
        Attribute(
            "listening",
            BOOLEAN,
            "Whether something listens on it.",
            lambda view: bool(_sockets(view)),
            needs(SOCKETS),
            predicate="be listening",
            detail=_detail,
        ),
        Attribute(
            "addresses",
            list_of(TEXT),
            "The addresses on which something listens.",
            lambda view: [row["address"] for row in _sockets(view)],
            needs(SOCKETS),
        ),
        Attribute(
            "protocols",
            list_of(TEXT),
            "The protocols on which something listens.",
            lambda view: [row["protocol"] for row in _sockets(view)],
            needs(SOCKETS),
        ),
        Attribute(
            "uids",
            list_of(INTEGER),
            "The user ids that own the listening sockets.",
            lambda view: [row["uid"] for row in _sockets(view)],
            needs(SOCKETS),
        ),
    ),
    (Parameter("protocol", _PROTOCOLS, "Only this protocol."),),
    Parameter("number", PORT, "The port number.", required=True),
)

RESOURCES = (
    table(
        "ports",
        "The sockets on which something in the pod listens.",
        title=constant("Listening ports"),
        place=constant("among the listening sockets"),
        rows=lambda view: view.value(SOCKETS),
        needs=needs(SOCKETS),
        label=_label,
        fields=(
            Field("port", "ports", INTEGER, "Port number."),
            Field("protocol", "protocols", TEXT, "tcp, udp, tcp6 or udp6."),
            Field("address", "addresses", TEXT, "Local address."),
            Field("uid", "uids", INTEGER, "User id that owns the socket."),
        ),
    ),
    _PORT,
)
