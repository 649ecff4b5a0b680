# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's rules for helper pods, which scanners make: each field is one of ours, and so is its value."""

from __future__ import annotations

from .cel import Rule, at_most_keys, every, literal, only_keys
from .guard_terms import (
    CONTAINER_KEYS,
    GuardOptions,
    ScannerHabits,
    about_each,
    default_messages,
    has_seccomp,
    image_rules,
    no_capabilities,
    of_account,
    unprivileged,
    waits,
)
from .objects import LABEL_EXPIRES, LABEL_MANAGED_BY, LABEL_RUN, RBAC_GROUP
from .token import MAXIMUM_LIFETIME

_POD = "a helper pod of a scanner "
_METADATA_KEYS = (
    "name",
    "namespace",
    "labels",
    "annotations",
    "ownerReferences",
    # the API server's own
    "uid",
    "generation",
    "creationTimestamp",
    "managedFields",
)
# The API server's own: which defaults a LimitRange has set.
_ANNOTATIONS = ("kubernetes.io/limit-ranger",)
_SPEC_KEYS = (
    "automountServiceAccountToken",
    "enableServiceLinks",
    "restartPolicy",
    "terminationGracePeriodSeconds",
    "activeDeadlineSeconds",
    "securityContext",
    "affinity",
    "tolerations",
    "containers",
    "volumes",
    "imagePullSecrets",
    # the API server's own
    "serviceAccountName",
    "serviceAccount",
    "dnsPolicy",
    "schedulerName",
    "priority",
    "priorityClassName",
    "preemptionPolicy",
)
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_TERMS = {
    "name": "terms",
    "expression": f"object.spec.?affinity.?nodeAffinity.?{_REQUIRED}.?nodeSelectorTerms.orValue([])",
}


def helper_variables() -> list[dict[str, str]]:
    """`terms`: what is said of the node."""
    return [_TERMS]


def helper_rules(habits: ScannerHabits, options: GuardOptions) -> list[Rule]:
    containers = about_each(
        "object.spec.containers", f"a container of {_POD}", _container_rules(habits, options)
    )
    return [*_pod_rules(habits, options), *containers, *_other_rules()]


def _pod_rules(habits: ScannerHabits, options: GuardOptions) -> list[Rule]:
    rules = [
        (of_account("object.metadata.name", habits), "is named after the scan"),
        (_owned(), "is owned by the scan's ServiceAccount, or by its Role where that has another namespace"),
        (
            "!object.spec.?automountServiceAccountToken.orValue(true) && "
            "object.spec.?serviceAccountName.orValue('default') == 'default'",
            "has no ServiceAccount's token",
        ),
        (_apart(), "shares nothing with its node, and is not urgent"),
        (_placed(), "says nothing of its place but one node, by name, and tolerates every taint"),
        (
            "object.spec.?restartPolicy.orValue('') == 'Never' && "
            "object.spec.?terminationGracePeriodSeconds.orValue(-1) == 0 && "
            "object.spec.?activeDeadlineSeconds.orValue(0) > 0 && "
            f"object.spec.activeDeadlineSeconds <= {MAXIMUM_LIFETIME}",
            "ends by itself, within a day",
        ),
        (
            "object.spec.?volumes.orValue([]).all(v, has(v.image) && {})".format(
                only_keys("v", ("name", "image"))
            ),
            "has no volumes but images",
        ),
        (
            "object.spec.?volumes.orValue([]).all(v, v.?image.?pullPolicy.orValue('') == 'IfNotPresent' && "
            "v.?image.?reference.orValue('').matches('^([^@]+@)?sha256:[0-9a-f]{64}$'))",
            "names its images by digest, and pulls none that the node has",
        ),
        (
            "{} && {}".format(
                has_seccomp("object.spec.?securityContext"),
                at_most_keys("object.spec.securityContext", ("runAsNonRoot", "seccompProfile")),
            ),
            "has seccomp RuntimeDefault, no sysctls and no further groups",
        ),
        ("!has(object.spec.initContainers)", "has no init containers"),
        (
            f"object.spec.containers.size() <= {habits.most_images} && "
            f"object.spec.?volumes.orValue([]).size() <= {habits.most_images}",
            f"has at most {habits.most_images} containers, each for one image",
        ),
        (
            "object.spec.?imagePullSecrets.orValue([]).all(s, "
            f"s.?name.orValue('') in {literal(options.pull_secrets)})",
            "uses none but the allowed Secrets to pull images",
        ),
    ]
    return [Rule(expression, _POD + words) for expression, words in rules]


def _other_rules() -> list[Rule]:
    """Last, because the rules before them say more of the fields that they know."""
    labels = (LABEL_MANAGED_BY, LABEL_RUN, LABEL_EXPIRES)
    metadata = every(
        [
            only_keys("object.metadata", _METADATA_KEYS),
            at_most_keys("object.metadata.labels", labels),
            at_most_keys("object.metadata.annotations", _ANNOTATIONS),
        ]
    )
    defaults = every(
        [
            only_keys("object.spec", _SPEC_KEYS),
            "!object.spec.?enableServiceLinks.orValue(true)",
            "object.spec.?dnsPolicy.orValue('ClusterFirst') == 'ClusterFirst'",
            "object.spec.?schedulerName.orValue('default-scheduler') == 'default-scheduler'",
        ]
    )
    return [
        Rule(metadata, _POD + "has no labels, annotations and finalizers but those of a scan"),
        Rule(defaults, _POD + "has nothing in its spec that a scan does not set"),
    ]


def _container_rules(habits: ScannerHabits, options: GuardOptions) -> list[tuple[str, str]]:
    mounts = every(
        [
            "c.?volumeMounts.orValue([]).size() <= 1",
            "c.?volumeMounts.orValue([]).all(m, {} && m.?readOnly.orValue(false) && m.mountPath == {})".format(
                only_keys("m", ("name", "readOnly", "mountPath")), literal(habits.mount_point)
            ),
        ]
    )
    return [
        (waits(habits, 1), "does nothing but wait for its scan, for a day at most"),
        (
            f"{unprivileged()} && c.?securityContext.?seccompProfile.?type.orValue('RuntimeDefault') == "
            "'RuntimeDefault'",
            "has no privileges and a read-only root",
        ),
        (no_capabilities(), "drops all capabilities and adds none"),
        (
            "c.?securityContext.?runAsUser.orValue(0) > 0 && c.?securityContext.?runAsGroup.orValue(0) > 0",
            "is not root",
        ),
        (
            "{} && {} && {}".format(
                mounts, only_keys("c", (*CONTAINER_KEYS, "volumeMounts")), default_messages()
            ),
            f"has nothing but its image at {habits.mount_point}, read-only",
        ),
        (_resources(habits), _resources_in_words(habits)),
        *image_rules(options),
    ]


def _owned() -> str:
    """An owner is in the pod's own namespace, so that of a ServiceAccount elsewhere is the scan's Role. The
    guard does not know the Role's uid; a pod whose owner does not exist, the cluster deletes."""
    owners = "object.metadata.?ownerReferences.orValue([])"
    account = (
        f"{owners}.map(o, [o.apiVersion, o.kind, o.name, o.uid]) == "
        "[['v1', 'ServiceAccount', request.userInfo.username.split(':')[3], request.userInfo.uid]]"
    )
    role = (
        f"{owners}.map(o, [o.apiVersion, o.kind, o.name]) == [['{RBAC_GROUP}/v1', 'Role', variables.account]]"
    )
    where = "request.userInfo.username.split(':')[2] == request.namespace"
    keys = only_keys("o", ("apiVersion", "kind", "name", "uid"))
    return f"({where} ? ({account}) : ({role})) && {owners}.all(o, {keys})"


def _apart() -> str:
    shared = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace")
    return every(
        [
            *(f"!object.spec.?{field}.orValue(false)" for field in shared),
            "!has(object.spec.nodeName)",
            "object.spec.?priority.orValue(0) <= 0",
        ]
    )


def _placed() -> str:
    return every(
        [
            "variables.terms.size() == 1",
            only_keys("object.spec.affinity", ("nodeAffinity",)),
            only_keys("object.spec.affinity.nodeAffinity", (_REQUIRED,)),
            only_keys("variables.terms[0]", ("matchFields",)),
            "variables.terms[0].matchFields.size() == 1",
            "variables.terms[0].matchFields.all(f, f.key == 'metadata.name' && f.operator == 'In' && "
            "f.?values.orValue([]).size() == 1)",
            "!has(object.spec.nodeSelector)",
            "object.spec.?tolerations.orValue([]).all(t, t.?operator.orValue('') == 'Exists' && {})".format(
                only_keys("t", ("operator",))
            ),
        ]
    )


def _resources(habits: ScannerHabits) -> str:
    # dyn: the schema that the API server checks types by knows no names of resources
    asked = "dyn(c).resources"
    bounds = []
    for which in ("requests", "limits"):
        bounds.append(only_keys(f"{asked}.{which}", tuple(habits.resources)))
        for name, most in habits.resources.items():
            amount = f"{asked}.{which}[{literal(name)}]"
            bounds.append(f"{literal(name)} in {asked}.{which}")
            bounds.append(f"quantity(string({amount})).compareTo(quantity({literal(most)})) <= 0")
    return every(
        [
            "dyn(c).?resources.?requests.hasValue()",
            "dyn(c).?resources.?limits.hasValue()",
            only_keys(asked, ("requests", "limits")),
            *bounds,
        ]
    )


def _resources_in_words(habits: ScannerHabits) -> str:
    bounds = " and ".join(f"{most} of {name}" for name, most in habits.resources.items())
    return f"asks for at most {bounds}, and for nothing else"
