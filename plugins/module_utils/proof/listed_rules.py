# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server lists as a scanner's rules (SelfSubjectRulesReview), less what its access gives and what everybody has."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..access.objects import Grant
from ..access.rights import RIGHTS
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..preflight.denied_rights import in_words
from ..preflight.permissions import Permission

_PATH = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
_KIND = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}
# What Kubernetes lets every ServiceAccount do: ask about itself (system:basic-user), read the public certificates that the
# cluster trusts (system:cluster-trust-bundle-discovery), and find the API (system:discovery, system:public-info-viewer,
# system:service-account-issuer-discovery).
_EVERYBODY = frozenset(
    {
        Permission("authorization.k8s.io", "selfsubjectaccessreviews", "create"),
        Permission("authorization.k8s.io", "selfsubjectrulesreviews", "create"),
        Permission("authentication.k8s.io", "selfsubjectreviews", "create"),
        *(
            Permission("certificates.k8s.io", "clustertrustbundles", verb)
            for verb in ("get", "list", "watch")
        ),
    }
)
_DISCOVERY = frozenset(
    {
        *("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*", "/version", "/version/"),
        *("/healthz", "/livez", "/readyz"),
        *("/.well-known/openid-configuration", "/.well-known/openid-configuration/"),
        *("/openid/v1/jwks", "/openid/v1/jwks/"),
    }
)
# A rule of more combinations than that is none of a scanner.
_MOST = 1000


def listed_beyond(
    client: RestClient, grant: Grant, also_allowed: Sequence[Permission]
) -> tuple[list[str], bool]:
    """The rules beyond the grant, each once, in words; and whether the API server says that its list is whole.

    :param also_allowed: what every identity of this cluster is meant to have
    :raises ScanError: bad_reply, and as the client
    """
    reply = client.create(_PATH, {**_KIND, "spec": {"namespace": grant.namespace}})
    try:
        status = reply["status"]
        found = [
            *_resources(status.get("resourceRules") or (), grant, _EVERYBODY | set(also_allowed)),
            *_paths(status.get("nonResourceRules") or ()),
        ]
        return list(dict.fromkeys(found)), not status.get("incomplete")
    except (KeyError, TypeError, AttributeError) as error:
        raise ScanError(
            "bad_reply",
            f"the reply to the SelfSubjectRulesReview lacks or garbles {error}",
            tried=f"listing the scanner's rules in namespace {grant.namespace}",
        ) from error


def _resources(
    rules: Sequence[Mapping[str, Any]], grant: Grant, allowed: frozenset[Permission]
) -> Iterator[str]:
    pods = {pod.name for pod in grant.pods}
    own = {Permission("", right.resource, verb) for right in RIGHTS[grant.approach] for verb in right.verbs}
    for rule in rules:
        names = rule.get("resourceNames") or []
        held = allowed | own if names and pods.issuperset(names) else allowed
        combinations = itertools.product(
            rule.get("apiGroups") or [""], rule.get("resources") or [], rule["verbs"]
        )
        for number, (group, resource, verb) in enumerate(combinations):
            if number == _MOST:
                yield f"and more than {_MOST} others in one rule"
                break
            right = Permission(str(group), str(resource), str(verb))
            if right not in held:
                yield in_words(right) + (
                    f" {names[0]}" + (" and others" if names[1:] else "") if names else ""
                )


def _paths(rules: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for rule in rules:
        verbs = [str(verb) for verb in rule["verbs"]]
        for path in itertools.islice(rule.get("nonResourceURLs") or (), _MOST):
            if verbs != ["get"] or path not in _DISCOVERY:
                yield f"{','.join(verbs)} {path}"
