# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubeconfigs and proxies, each given to kubectl and to us: both reach the cluster, or both refuse."""

from __future__ import annotations

import base64
import copy
import json
import os
import pathlib
import subprocess
from typing import Any, Callable

import pytest
import yaml
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.connection import (
    ConnectionOptions,
    connect,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.cluster.rest import RestClient
from ansible_collections.securescan.kubernetes.plugins.module_utils.errors import ScanError
from ansible_collections.securescan.kubernetes.tests.fake_api_server.proxy import FakeProxy, FakeSocksProxy

Document = dict[str, Any]
PLUGIN = """\
#!/bin/sh
[ "$SET" = yes ] && [ "${EMPTY-unset}" = "" ] && [ "$#" = 2 ] && [ "$2" = "" ] || exit 3
cat "$(dirname "$0")/answer"
"""


@pytest.fixture(scope="module")
def plain(cluster, tmp_path_factory) -> Document:
    """The administrator's kubeconfig with a plugin beside it, which prints the same client certificate."""
    document = yaml.safe_load(cluster.kubeconfig.read_text(encoding="utf-8"))
    (context,) = document["contexts"]
    context["name"] = document["current-context"] = "here"
    return document


def user_of(document: Document) -> Document:
    return document["users"][0]["user"]


def cluster_of(document: Document) -> Document:
    return document["clusters"][0]["cluster"]


def renamed(name: str) -> Callable[[Document], str]:
    """The text with this, without quotes, in place of the context's name."""
    return lambda document: yaml.safe_dump(document).replace(": here\n", f": {name}\n")


def with_(**changes: Any) -> Callable[[Document], Document]:
    return lambda document: {**document, **changes}


def with_user(**changes: Any) -> Callable[[Document], None]:
    return lambda document: user_of(document).update(changes)


def with_cluster(**changes: Any) -> Callable[[Document], None]:
    return lambda document: cluster_of(document).update(changes)


def with_exec(**changes: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        user_of(document).clear()
        user_of(document)["exec"] = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "interactiveMode": "Never",
            "command": "./plugin",
            "args": ["a", None],
            "env": [{"name": "SET", "value": "yes"}, {"name": "EMPTY", "value": None}],
            **changes,
        }

    return change


def unused(kind: str, content: Any) -> Callable[[Document], None]:
    return lambda document: document[kind].append(content)


CASES: dict[str, Callable[[Document], Any]] = {
    "as it is": with_(),
    "nulls": with_(preferences=None, extensions=None),
    "an entry that is null": unused("contexts", None),
    "two entries that are null": lambda document: document["contexts"].extend([None, None]),
    "an entry without a name": unused("users", {"user": {"token": "x"}}),
    "two entries of one name": lambda document: document["users"].append(document["users"][0]),
    "text for a list": with_(users="x"),
    "a mapping for a list": lambda document: {**document, "users": document["users"][0]},
    "an entry that is text": unused("users", "x"),
    "an unused token that is a number": unused("users", {"name": "other", "user": {"token": 5}}),
    "an unused server that is a number": unused("clusters", {"name": "other", "cluster": {"server": 5}}),
    "a namespace that is a number": unused("contexts", {"name": "other", "context": {"namespace": 5}}),
    "extensions of another shape": with_(extensions={}),
    "preferences of another shape": with_(preferences=[]),
    "keys that are not known": with_(own={"key": [1]}),
    "keys in capitals": lambda document: {**document, "Current-Context": document.pop("current-context")},
    "no current context": with_(**{"current-context": None}),
    "a current context that is not there": with_(**{"current-context": "nowhere"}),
    "no kind": lambda document: document.pop("kind"),
    "another kind": with_(kind="Pod"),
    "another version": with_(apiVersion="v2"),
    "a date as a name": renamed("2026-11-30"),
    "base 60 as a name": renamed("12:30"),
    "an equals sign as a name": renamed("="),
    "a number as a name": renamed("0777"),
    "a boolean as a name": renamed("true"),
    "a key twice": lambda document: "current-context: nowhere\n" + yaml.safe_dump(document),
    "a second document": lambda document: yaml.safe_dump(document) + "---\nkind: Pod\n",
    "a first document that is empty": lambda document: "---\n---\n" + yaml.safe_dump(document),
    "a byte order mark": lambda document: "\ufeff" + yaml.safe_dump(document),
    "a flag that is text": with_cluster(**{"insecure-skip-tls-verify": "false"}),
    "a CA in lines": lambda document: cluster_of(document).update(
        {"certificate-authority-data": "\n".join(cluster_of(document)["certificate-authority-data"])}
    ),
    "a CA that is no base64": with_cluster(**{"certificate-authority-data": "%"}),
    "a user that is null": lambda document: document["users"][0].update(user=None),
    "a token beside a password": with_user(token="x", username="y"),
    "groups without a user to be": with_user(**{"as-groups": ["x"]}),
    "groups as text": with_user(**{"as": "x", "as-groups": "y"}),
    "a token file that is not there": lambda document: document["users"][0].update(
        user={"tokenFile": "nope"}
    ),
    "a plugin": with_exec(),
    "a plugin with a boolean in its env": with_exec(env=[{"name": "SET", "value": True}]),
    "a plugin with its env as a mapping": with_exec(env={"SET": "yes"}),
    "a plugin with an env without a name": with_exec(env=[{"value": "yes"}]),
    "a plugin with a number among its args": with_exec(args=["a", 5]),
    "a plugin that needs a terminal": with_exec(interactiveMode="Always"),
    "a plugin of an odd mode": with_exec(interactiveMode="Sometimes"),
    "a plugin without a mode": with_exec(interactiveMode=None),
    "a plugin without a mode, beta": with_exec(
        interactiveMode=None, apiVersion="client.authentication.k8s.io/v1beta1"
    ),
    "a plugin of an old version": with_exec(apiVersion="client.authentication.k8s.io/v1alpha1"),
    "a plugin beside an auth-provider": lambda document: (
        with_exec()(document),
        with_user(**{"auth-provider": {"name": "oidc"}})(document),
    ),
}


def kubectl_reaches(cluster, folder: pathlib.Path, environ: dict[str, str]) -> str:
    """What went wrong; empty for nothing."""
    done = subprocess.run(
        [cluster.kubectl_program, "get", "--raw", "/api", "--request-timeout=60s"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder / "nobody"), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr.strip() or "no message" if done.returncode else ""


def we_reach(environ: dict[str, str]) -> str:
    """What went wrong; empty for nothing."""
    try:
        RestClient(connect(ConnectionOptions(), {"PATH": os.environ["PATH"], **environ}), attempts=1).get(
            "/api"
        )
    except ScanError as error:
        return str(error)
    return ""


def check_both(cluster, folder: pathlib.Path, environ: dict[str, str]) -> bool:
    """Whether both reach the cluster; that one does and the other does not is an error."""
    theirs, ours = kubectl_reaches(cluster, folder, environ), we_reach(environ)
    assert bool(theirs) == bool(ours), f"kubectl: {theirs or 'well'}\nwe: {ours or 'well'}"
    return not theirs


def write(folder: pathlib.Path, document: Any, name: str = "config") -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


@pytest.mark.parametrize("case", CASES)
def test_a_kubeconfig_means_what_it_means_to_kubectl(cluster, plain, tmp_path, case):
    document = copy.deepcopy(plain)
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1beta1"
        if case.endswith("beta")
        else "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "no token of this cluster"},
    }
    certificate = pem(user_of(plain), "client-certificate")
    if certificate:
        answer["status"] = {
            "clientCertificateData": certificate,
            "clientKeyData": pem(user_of(plain), "client-key"),
        }
    write(tmp_path, answer, "answer")
    (tmp_path / "plugin").write_text(PLUGIN, encoding="utf-8")
    (tmp_path / "plugin").chmod(0o755)
    changed = CASES[case](document)
    path = write(
        tmp_path, changed if isinstance(changed, (str, dict)) and "contexts" in changed else document
    )
    reached = check_both(cluster, tmp_path, {"KUBECONFIG": path})
    assert reached or case not in ("as it is", "nulls", "a date as a name", "a second document", "a plugin")


def pem(user: Document, key: str) -> str:

    if user.get(key + "-data"):
        return base64.b64decode(user[key + "-data"]).decode()
    return pathlib.Path(user[key]).read_text(encoding="utf-8") if user.get(key) else ""


@pytest.mark.parametrize(
    "order",
    [
        "one",
        "empty:one",
        "one:empty",
        ":one:",
        "missing:one",
        "comment:one",
        "null:one",
        "folder:one",
        "one:other",
        "other:one",
    ],
)
def test_a_list_of_kubeconfigs_means_what_it_means_to_kubectl(cluster, plain, tmp_path, order):
    write(tmp_path, plain, "one")
    write(tmp_path, "", "empty")
    write(tmp_path, "# nothing\n", "comment")
    write(tmp_path, "null\n", "null")
    other = copy.deepcopy(plain)
    cluster_of(other)["server"] = "https://127.0.0.1:1"
    write(tmp_path, other, "other")
    (tmp_path / "folder").mkdir()
    paths = [str(tmp_path / name) if name else "" for name in order.split(":")]
    reached = check_both(cluster, tmp_path, {"KUBECONFIG": ":".join(paths)})
    assert reached == (order not in ("folder:one", "other:one"))


@pytest.mark.parametrize(
    "environ",
    [
        {"HTTPS_PROXY": "http://127.0.0.1:1"},
        {"HTTPS_PROXY": "socks5://127.0.0.1:1"},
        {"ALL_PROXY": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"},
    ],
)
def test_the_environments_proxy_is_not_for_this_machine(cluster, plain, tmp_path, environ):
    assert check_both(cluster, tmp_path, {"KUBECONFIG": write(tmp_path, plain), **environ})


@pytest.mark.parametrize(
    "url",
    [
        "http://PROXY",
        "http://127.0.0.1:1",
        "socks5://SOCKS",
        "socks5://127.0.0.1:1",
        "socks4://SOCKS",
        "ftp://PROXY",
    ],
)
def test_a_proxy_of_the_kubeconfig_means_what_it_means_to_kubectl(cluster, plain, tmp_path, url):
    document = copy.deepcopy(plain)
    with FakeProxy() as proxy, FakeSocksProxy() as socks:
        named = url.replace("PROXY", proxy.authority).replace("SOCKS", socks.authority)
        cluster_of(document)["proxy-url"] = named
        check_both(cluster, tmp_path, {"KUBECONFIG": write(tmp_path, document), "NO_PROXY": "*"})
        if url in ("http://PROXY", "socks5://SOCKS"):
            assert len(proxy.targets + socks.targets) == 2, "one of both did not take it"
