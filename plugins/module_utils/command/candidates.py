# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that could stand next on a command line, for shells and for kubectl.

    securescan __complete scan -n sh
    shop
    :4

Each line is a word; the last one says what the shell may do with them. What the cluster must tell has a second in all: then there
are no words. Nothing is asked with a token of the command line.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Callable

from ..cluster.connection import connect, namespace_of_context
from ..cluster.kubeconfig import load_every_context
from ..cluster.rest import RestClient
from ..errors import ScanError
from ..options.connection import connection_options, connection_spec
from ..targets.patterns import DNS_LABEL, DNS_SUBDOMAIN, matches_workload, read_workloads
from ..targets.workloads import Workloads
from .arguments import CommandLine
from .completion import FOLDERS_ONLY, NO_FILES, NO_SPACE
from .flag import CONTAINERS, CONTEXTS, FILES, FOLDERS, NAMESPACES, PROFILES, Flag
from .target_words import NAMESPACE_KINDS, POD_KINDS

_SECONDS = 1.0
_MOST = 500
_OF_WORDS = ("deploy/", "statefulset/", "daemonset/", "cronjob/", "job/", "pod/")


def candidates(
    line: CommandLine, before: Sequence[str], word: str, environ: Mapping[str, str]
) -> tuple[list[str], int]:
    """The words, and the directive.

    :param before: the words before the one that is completed, without the subcommand
    """
    last = before[-1] if before else ""
    name, equals, value = word.partition("=")
    if equals and name in line.flags:
        found, directive = _of_flag(line, line.flags[name], value, before, environ)
        return [f"{name}={each}" for each in found], directive
    if last.startswith("-") and line.takes_value(last):
        if last in line.flags:
            return _of_flag(line, line.flags[last], word, before, environ)
        return _starting(line.choices_of(last), word), NO_FILES
    if word.startswith("-"):
        return _starting(line.all_names, word), NO_FILES
    return _of_words(word, before, environ)


def _of_flag(
    line: CommandLine, flag: Flag, word: str, before: Sequence[str], environ: Mapping[str, str]
) -> tuple[list[str], int]:
    choices = line.spec.get(flag.option, {}).get("choices")
    if choices:
        return _starting(map(str, choices), word), NO_FILES
    if flag.complete == FILES:
        return [], 0
    if flag.complete == FOLDERS:
        return [], FOLDERS_ONLY
    if flag.complete == PROFILES:
        return _starting(_profiles(), word), 0
    if flag.complete == CONTEXTS:
        return _starting(_asked(lambda: _contexts(before, environ)), word), NO_FILES
    if flag.complete == NAMESPACES:
        return _starting(_asked(lambda: _namespaces(before, environ)), word), NO_FILES
    if flag.complete == CONTAINERS:
        return _starting(_asked(lambda: _containers(before, environ)), word), NO_FILES
    return [], NO_FILES


def _of_words(word: str, before: Sequence[str], environ: Mapping[str, str]) -> tuple[list[str], int]:
    kind, slash, _name = word.partition("/")
    if not slash:
        return _starting(_OF_WORDS, word), NO_SPACE | NO_FILES
    try:
        (pattern,) = read_workloads("targets", [f"{kind}/*"])
    except ScanError:
        return [], NO_FILES
    if kind in NAMESPACE_KINDS:
        names = _asked(lambda: _namespaces(before, environ))
    else:
        names = _asked(lambda: _running(before, environ, pattern, is_pod=kind in POD_KINDS))
    return _starting((f"{kind}/{name}" for name in names), word), NO_FILES


def _starting(words: Iterable[str], begin: str) -> list[str]:
    return sorted({word for word in words if word.startswith(begin)})[:_MOST]


def _profiles() -> Iterable[str]:
    from ..tasks.profile import shipped_names

    return shipped_names()


def _asked(ask: Callable[[], Iterable[str]]) -> Sequence[str]:
    """What the cluster says within its time; nothing where it does not, or refuses."""
    found: list[str] = []

    def work() -> None:
        try:
            found.extend(ask())
        except ScanError:
            found.clear()

    # who asks ends the process without waiting for it
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(_SECONDS)
    return [] if thread.is_alive() else found


def _value_of(before: Sequence[str], *names: str) -> str:
    """The value of a flag among the words, empty where it is not given."""
    for index, word in enumerate(before):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else (before[index + 1] if index + 1 < len(before) else "")
    return ""


def _connection(before: Sequence[str]) -> Any:
    given = {"kubeconfig": _value_of(before, "--kubeconfig"), "context": _value_of(before, "--context")}
    spec = {name: rule.get("default") for name, rule in connection_spec().items()}
    return connection_options({**spec, **{name: value for name, value in given.items() if value}})


def _namespace(before: Sequence[str], environ: Mapping[str, str]) -> str:
    return _value_of(before, "-n", "--namespace") or namespace_of_context(_connection(before), environ)


def _contexts(before: Sequence[str], environ: Mapping[str, str]) -> Iterator[str]:
    home = environ.get("HOME", "~")
    source = _value_of(before, "--kubeconfig") or environ.get("KUBECONFIG") or f"{home}/.kube/config"
    for choice in load_every_context(source):
        yield choice.context.name


def _client(before: Sequence[str], environ: Mapping[str, str]) -> RestClient:
    return RestClient(connect(_connection(before), environ), _SECONDS, patience=0.0, attempts=1)


def _namespaces(before: Sequence[str], environ: Mapping[str, str]) -> Iterator[str]:
    """Names that the cluster has; one that is no name is left out: a shell would see it."""
    client = _client(before, environ)
    for item in islice(client.list_items("/api/v1/namespaces", page_size=_MOST, metadata_only=True), _MOST):
        name = str((item.get("metadata") or {}).get("name") or "")
        if DNS_LABEL.allows(name):
            yield name


def _pods(client: RestClient, namespace: str) -> Iterator[Mapping[str, Any]]:
    if DNS_LABEL.allows(namespace):
        yield from islice(client.list_items(f"/api/v1/namespaces/{namespace}/pods", page_size=_MOST), _MOST)


def _running(
    before: Sequence[str], environ: Mapping[str, str], pattern: str, *, is_pod: bool
) -> Iterator[str]:
    """What has pods, found with the rights of a scan: workloads themselves are not listed.

    :param pattern: such as deployment/*
    """
    client, namespace = _client(before, environ), _namespace(before, environ)
    workloads = Workloads(client, namespace)
    for pod in _pods(client, namespace):
        kind, name = ("Pod", str(pod["metadata"]["name"])) if is_pod else workloads.of(pod)
        if (is_pod or matches_workload(kind, name, [pattern])) and DNS_SUBDOMAIN.allows(name):
            yield name


def _containers(before: Sequence[str], environ: Mapping[str, str]) -> Iterator[str]:
    client = _client(before, environ)
    for pod in _pods(client, _namespace(before, environ)):
        for container in (pod.get("spec") or {}).get("containers") or ():
            name = str(container.get("name") or "")
            if DNS_LABEL.allows(name):
                yield name
