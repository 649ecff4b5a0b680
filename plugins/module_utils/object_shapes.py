# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of all fields of Kubernetes objects that are read here, checked once where an object comes in.

The API server checks what users write, so an honest one sends nothing else. A hostile or broken one could: what
reads the objects relies on the types that are named here. A field that is absent or null is well; a field that
stands in no table is not read, and can be anything.

Sources: the API reference of core/v1 (Pod, Container, PodStatus), meta/v1, apps/v1, batch/v1, policy/v1, rbac/v1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

from .errors import ScanError


@dataclass(frozen=True)
class _Value:
    """A single value: what it is called, and its types in Python."""

    name: str
    types: tuple[type, ...]


@dataclass(frozen=True)
class _ListOf:
    entry: Shape


@dataclass(frozen=True)
class _MapOf:
    """An object with any keys, and values of one shape."""

    value: Shape


@dataclass(frozen=True)
class Fields:
    """An object with known fields, some of which must be there. `others`: the shape of all others, None where
    they are not looked at."""

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    others: Shape | None = None


Shape = Union[_Value, _ListOf, _MapOf, Fields]

TEXT = _Value("a text", (str,))
WHOLE = _Value("a whole number", (int,))
FLAG = _Value("true or false", (bool,))
_QUANTITY = _Value("a text or a number", (str, int, float))
_TEXTS = _ListOf(TEXT)
_TEXT_BY_NAME = _MapOf(TEXT)


def _fields(*required: str, **shapes: Shape) -> Fields:
    return Fields(shapes, required)


def _texts(*names: str) -> dict[str, Shape]:
    return dict.fromkeys(names, TEXT)


METADATA = _fields(
    "name",
    "uid",
    **_texts(
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "deletionTimestamp",
        "generateName",
    ),
    labels=_TEXT_BY_NAME,
    annotations=_TEXT_BY_NAME,
    generation=WHOLE,
    deletionGracePeriodSeconds=WHOLE,
    finalizers=_TEXTS,
    ownerReferences=_ListOf(
        _fields("kind", "name", **_texts("apiVersion", "kind", "name", "uid"), controller=FLAG)
    ),
    managedFields=_ListOf(Fields(_texts("manager", "operation", "subresource", "time"))),
)
_PROFILE = Fields(_texts("type", "localhostProfile"))
_SECURITY = _fields(
    **dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"), WHOLE),
    **dict.fromkeys(
        ("runAsNonRoot", "privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem"), FLAG
    ),
    procMount=TEXT,
    supplementalGroups=_ListOf(WHOLE),
    capabilities=_fields(add=_TEXTS, drop=_TEXTS),
    seccompProfile=_PROFILE,
    appArmorProfile=_PROFILE,
    seLinuxOptions=Fields(_texts("type", "user", "role", "level")),
    windowsOptions=_fields(hostProcess=FLAG),
    sysctls=_ListOf(Fields(_texts("name", "value"))),
)
_QUANTITIES = _MapOf(_QUANTITY)
_RESOURCES = _fields(limits=_QUANTITIES, requests=_QUANTITIES)
_ACTION = _fields(
    httpGet=_fields(host=TEXT, httpHeaders=_ListOf(Fields(_texts("name", "value")))),
    tcpSocket=_fields(host=TEXT),
    exec=_fields(command=_TEXTS),
)
_SOURCE_BY_NAME = _fields(name=TEXT)
_CONTAINER = _fields(
    "name",
    **_texts(
        "name",
        "image",
        "imagePullPolicy",
        "restartPolicy",
        "targetContainerName",
        "workingDir",
        "terminationMessagePath",
        "terminationMessagePolicy",
    ),
    **dict.fromkeys(("tty", "stdin", "stdinOnce"), FLAG),
    command=_TEXTS,
    args=_TEXTS,
    env=_ListOf(_fields("name", name=TEXT, value=TEXT, valueFrom=_fields(secretKeyRef=_SOURCE_BY_NAME))),
    envFrom=_ListOf(_fields(secretRef=_SOURCE_BY_NAME, configMapRef=_SOURCE_BY_NAME)),
    ports=_ListOf(_fields("containerPort", hostPort=WHOLE, containerPort=WHOLE)),
    volumeMounts=_ListOf(
        _fields(
            "name", **_texts("name", "mountPath", "mountPropagation", "subPath", "subPathExpr"), readOnly=FLAG
        )
    ),
    volumeDevices=_ListOf(Fields(_texts("name", "devicePath"))),
    resources=_RESOURCES,
    securityContext=_SECURITY,
    livenessProbe=_ACTION,
    readinessProbe=_ACTION,
    startupProbe=_ACTION,
    lifecycle=_fields(postStart=_ACTION, preStop=_ACTION),
)
# A volume's source is its key besides `name`; which one it is, and what most of them hold, is not read.
_VOLUME = _fields(
    "name",
    name=TEXT,
    hostPath=Fields(_texts("path", "type")),
    emptyDir=_fields(medium=TEXT, sizeLimit=_QUANTITY),
    projected=_fields(
        sources=_ListOf(
            _fields(serviceAccountToken=_fields(expirationSeconds=WHOLE, path=TEXT, audience=TEXT))
        )
    ),
    image=Fields(_texts("reference", "pullPolicy")),
    **dict.fromkeys(
        ("secret", "configMap", "persistentVolumeClaim", "csi", "downwardAPI", "ephemeral", "nfs"), Fields({})
    ),
)
_CONTAINERS = _ListOf(_CONTAINER)
POD_SPEC = _fields(
    "containers",
    **_texts(
        "nodeName",
        "hostname",
        "subdomain",
        "serviceAccountName",
        "priorityClassName",
        "restartPolicy",
        "schedulerName",
        "runtimeClassName",
    ),
    **dict.fromkeys(
        (
            "hostNetwork",
            "hostPID",
            "hostIPC",
            "hostUsers",
            "shareProcessNamespace",
            "automountServiceAccountToken",
        ),
        FLAG,
    ),
    containers=_CONTAINERS,
    initContainers=_CONTAINERS,
    ephemeralContainers=_CONTAINERS,
    volumes=_ListOf(_VOLUME),
    securityContext=_SECURITY,
    resources=_RESOURCES,
    overhead=_QUANTITIES,
    nodeSelector=_TEXT_BY_NAME,
    os=_fields(name=TEXT),
    priority=WHOLE,
    imagePullSecrets=_ListOf(_SOURCE_BY_NAME),
)
_CONDITIONS = _ListOf(Fields(_texts("type", "status", "reason", "message")))
_STATE = Fields(
    {
        "running": _fields(startedAt=TEXT),
        "waiting": Fields(_texts("reason", "message")),
        "terminated": _fields(
            **_texts("reason", "message", "startedAt", "finishedAt"), exitCode=WHOLE, signal=WHOLE
        ),
    },
    others=Fields({}),
)
_CONTAINER_STATUS = _fields(
    "name",
    **_texts("name", "image", "imageID", "containerID"),
    state=_STATE,
    lastState=_STATE,
    ready=FLAG,
    started=FLAG,
    restartCount=WHOLE,
    user=_fields(linux=_fields(uid=WHOLE, gid=WHOLE, supplementalGroups=_ListOf(WHOLE))),
)
_CONTAINER_STATUSES = _ListOf(_CONTAINER_STATUS)
POD = _fields(
    "metadata",
    "spec",
    metadata=METADATA,
    spec=POD_SPEC,
    status=_fields(
        **_texts("phase", "reason", "message", "qosClass", "startTime", "nodeName"),
        observedGeneration=WHOLE,
        conditions=_CONDITIONS,
        containerStatuses=_CONTAINER_STATUSES,
        initContainerStatuses=_CONTAINER_STATUSES,
        ephemeralContainerStatuses=_CONTAINER_STATUSES,
    ),
)
_SELECTOR = _fields(
    matchLabels=_TEXT_BY_NAME,
    matchExpressions=_ListOf(_fields("key", "operator", key=TEXT, operator=TEXT, values=_TEXTS)),
)
_TEMPLATE = _fields(metadata=_fields(labels=_TEXT_BY_NAME, annotations=_TEXT_BY_NAME), spec=POD_SPEC)
_COUNTS = (
    "observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas",
    "desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable", "currentNumberScheduled",
)  # fmt: skip
_STRATEGY = _fields(type=TEXT, rollingUpdate=_fields(partition=WHOLE))
WORKLOAD = _fields(
    "metadata",
    "spec",
    metadata=METADATA,
    spec=_fields(
        replicas=WHOLE,
        paused=FLAG,
        selector=_SELECTOR,
        template=_TEMPLATE,
        jobTemplate=_fields(spec=_fields(template=_TEMPLATE)),
        updateStrategy=_STRATEGY,
        strategy=_STRATEGY,
        progressDeadlineSeconds=WHOLE,
    ),
    status=_fields(
        **dict.fromkeys(_COUNTS, WHOLE), **_texts("updateRevision", "currentRevision"), conditions=_CONDITIONS
    ),
)
OBJECT = _fields("metadata", metadata=METADATA)
_JOB = _fields("metadata", metadata=METADATA, status=_fields(conditions=_CONDITIONS))
_NODE = _fields(
    "metadata",
    metadata=METADATA,
    status=_fields(
        nodeInfo=_fields(**_texts("kubeletVersion", "containerRuntimeVersion", "osImage", "kernelVersion"))
    ),
)
_EVENT = _fields("metadata", metadata=METADATA, count=WHOLE, message=TEXT, reason=TEXT)
_RULES = _ListOf(
    _fields(verbs=_TEXTS, apiGroups=_TEXTS, resources=_TEXTS, resourceNames=_TEXTS, nonResourceURLs=_TEXTS)
)
_ROLE = _fields("metadata", metadata=METADATA, rules=_RULES)
_SUBJECT = Fields(_texts("kind", "name", "namespace", "apiGroup"))
_BINDING = _fields(
    "metadata",
    metadata=METADATA,
    subjects=_ListOf(_SUBJECT),
    roleRef=Fields(_texts("kind", "name", "apiGroup")),
)
# What is asked for by a request and is no object: its reply has no name.
_TOKEN = _fields(status=Fields(_texts("token", "expirationTimestamp")))
_REVIEW = _fields(
    status=_fields(
        **_texts("reason", "evaluationError"),
        allowed=FLAG,
        denied=FLAG,
        userInfo=_fields(username=TEXT, groups=_TEXTS),
    )
)
# Cluster API and Open Cluster Management
_CLUSTER = _fields(
    "metadata",
    metadata=METADATA,
    spec=_fields(infrastructureRef=Fields(_texts("kind", "name")), topology=_fields(version=TEXT)),
    status=_fields(conditions=_CONDITIONS),
)
_MANAGED_CLUSTER = _fields(
    "metadata",
    metadata=METADATA,
    spec=_fields(hubAcceptsClient=FLAG, managedClusterClientConfigs=_ListOf(Fields(_texts("url")))),
    status=_fields(
        conditions=_CONDITIONS,
        version=Fields(_texts("kubernetes")),
        clusterClaims=_ListOf(Fields(_texts("name", "value"))),
    ),
)
_SECRET = _fields("metadata", metadata=METADATA, type=TEXT, data=_TEXT_BY_NAME)
# By the resource of a path, as in /api/v1/namespaces/NAMESPACE/pods/NAME; a subresource gives the object itself
# unless it stands here.
_BY_RESOURCE: dict[str, Shape] = {
    "pods": POD,
    "pods/eviction": Fields({}),
    "replicasets": WORKLOAD,
    "deployments": WORKLOAD,
    "statefulsets": WORKLOAD,
    "daemonsets": WORKLOAD,
    "cronjobs": WORKLOAD,
    "jobs": _JOB,
    "nodes": _NODE,
    "events": _EVENT,
    "secrets": _SECRET,
    "clusters": _CLUSTER,
    "managedclusters": _MANAGED_CLUSTER,
    "roles": _ROLE,
    "clusterroles": _ROLE,
    "rolebindings": _BINDING,
    "clusterrolebindings": _BINDING,
    "serviceaccounts/token": _TOKEN,
    "selfsubjectaccessreviews": _REVIEW,
    "selfsubjectrulesreviews": _fields(status=_fields(resourceRules=_RULES, incomplete=FLAG)),
    "selfsubjectreviews": _REVIEW,
}
_RESOURCE = re.compile(
    r"/(?:api/v1|apis/[^/]+/[^/]+)/(?:namespaces/[^/]+/)?(?P<resource>[a-z]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[a-z]+))?)?"
)
_KINDS = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


def shape_of(path: str) -> Shape:
    """The shape of the object, or of each item of the list, that is at a path of the API."""
    found = _RESOURCE.fullmatch(path)
    if found is None:
        return Fields({})
    resource, sub = found.group("resource"), found.group("sub")
    whole = f"{resource}/{sub}" if sub else resource
    return _BY_RESOURCE.get(whole) or _BY_RESOURCE.get(resource, OBJECT)


def is_collection(path: str) -> bool:
    """Whether a path of the API names no single object, so that a GET gives a list."""
    found = _RESOURCE.fullmatch(path)
    return found is not None and found.group("name") is None


def flaw_of(value: Any, shape: Shape) -> str:
    """What of a value is not as it must be, such as "spec.volumes is a text, not a list"; "" for nothing."""
    flaw = None if value is None else _flaw(value, shape)
    if flaw is None:
        return ""
    place, what = flaw
    return f"{place.lstrip('.') or 'the reply'} {what}"


# (place below the value, such as ".volumes[0]", what is wrong there)
_Flaw = tuple[str, str]


def _flaw(value: Any, shape: Shape) -> _Flaw | None:
    if isinstance(shape, _Value):
        return None if _is_of(value, shape) else _wrong(value, shape.name)
    if isinstance(shape, _ListOf):
        return _flaw_of_list(value, shape.entry) if isinstance(value, list) else _wrong(value, "a list")
    if not isinstance(value, dict):
        return _wrong(value, "an object")
    return _flaw_of_map(value, shape.value) if isinstance(shape, _MapOf) else _flaw_of_object(value, shape)


def _is_of(value: Any, shape: _Value) -> bool:
    return type(value) in shape.types  # a bool is an int, so not by isinstance


def _flaw_of_list(entries: list[Any], shape: Shape) -> _Flaw | None:
    for number, entry in enumerate(entries):
        flaw = _flaw(entry, shape)
        if flaw is not None:
            return f"[{number}]{flaw[0]}", flaw[1]
    return None


def _flaw_of_map(entries: Mapping[str, Any], shape: Shape) -> _Flaw | None:
    for name, entry in entries.items():
        flaw = None if entry is None else _flaw(entry, shape)
        if flaw is not None:
            return f"[{name[:80]!r}]{flaw[0]}", flaw[1]
    return None


def _flaw_of_object(value: Mapping[str, Any], shape: Fields) -> _Flaw | None:
    for name in shape.required:
        if value.get(name) is None:
            return f".{name}", "is missing"
    for name, entry in value.items():
        inner = shape.fields.get(name, shape.others)
        if inner is None or entry is None or (type(inner) is _Value and type(entry) in inner.types):
            continue
        flaw = _flaw(entry, inner)
        if flaw is not None:
            return f".{name[:80]}{flaw[0]}", flaw[1]
    return None


def check_object(value: Any, shape: Shape, tried: str) -> None:
    """:raises ScanError: bad_reply, naming what of the object has another type than it must have"""
    flaw = flaw_of(value, shape)
    if flaw:
        raise ScanError("bad_reply", f"{flaw}: the object is not as Kubernetes makes it", tried=tried)


def _wrong(value: Any, wanted: str) -> _Flaw:
    return "", f"is {_KINDS.get(type(value), 'null')}, not {wanted}"
