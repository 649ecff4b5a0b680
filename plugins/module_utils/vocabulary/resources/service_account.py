# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service account as the pod uses it, from the pod's API object: service_account."""

from __future__ import annotations

from typing import Any, Callable

from ..evidence import EvaluationContext
from ..pod_spec import account_name, automounts_token, dig, pod_spec, target_container, token_lifetimes
from ..resource import Attribute, Resource, attributes_by_name
from ..value_types import BOOLEAN, INTEGER, TEXT, ValueType, list_of


def _attribute(
    name: str, kind: ValueType, description: str, compute: Callable[[EvaluationContext], Any]
) -> Attribute:
    return Attribute(name, kind, description, lambda view: compute(view.evidence.context))


RESOURCES = (
    Resource(
        "service_account",
        "The service account as the pod uses it.",
        lambda _params: "Service account",
        lambda _params: "in the pod's spec",
        attributes_by_name(
            _attribute("name", TEXT, "Its name.", account_name),
            _attribute(
                "default",
                BOOLEAN,
                "It is the namespace's default one.",
                lambda context: account_name(context) == "default",
            ),
            _attribute(
                "token_mounted",
                BOOLEAN,
                "This container has a token of it for the cluster's API mounted, at the usual path or another one.",
                lambda context: target_container(context).mounts_token,
            ),
            _attribute(
                "automount",
                BOOLEAN,
                "The pod mounts its token; what the pod leaves open is read from the live pod's mounts.",
                automounts_token,
            ),
            _attribute(
                "token_lifetimes",
                list_of(INTEGER),
                "Seconds for which the tokens in the pod's projected volumes are valid.",
                token_lifetimes,
            ),
            _attribute(
                "image_pull_secrets",
                list_of(TEXT),
                "Names of the pod's secrets for pulling images.",
                lambda context: [
                    entry.get("name") for entry in dig(pod_spec(context), "imagePullSecrets") or []
                ],
            ),
        ),
    ),
)
