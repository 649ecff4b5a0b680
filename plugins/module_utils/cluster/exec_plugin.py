# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Client credential plugins: a program named by the kubeconfig that prints a credential (client-go's "exec").

Source of the rules: the API group client.authentication.k8s.io.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ScanError
from ..network.tls import ClientCertificate
from ..safe_text import server_text
from ..times import parse_rfc3339
from .kubeconfig import KubeconfigChoice

PLUGIN_SECONDS = 60.0
_BETA = "client.authentication.k8s.io/v1beta1"
_API_VERSIONS = ("client.authentication.k8s.io/v1", _BETA)
_INTERACTIVE_MODES = ("Never", "IfAvailable", "Always")


@dataclass(frozen=True)
class PluginCredential:
    """What a plugin printed. `expires` is in seconds since 1970; None if the plugin did not say."""

    token: str
    certificate: ClientCertificate | None
    expires: float | None

    def __repr__(self) -> str:
        return "PluginCredential(...)"


def run_plugin(choice: KubeconfigChoice, environ: Mapping[str, str]) -> PluginCredential:
    """Run the plugin of the chosen user once, without a terminal.

    :raises ScanError: no_credential, bad_file
    """
    config = _checked_config(choice)
    command = plugin_command(choice)
    output = _run(
        [command, *(part or "" for part in config.get("args") or [])],
        _environment(choice, config, environ),
        choice,
    )
    return _parse(output, config["apiVersion"], choice)


def _checked_config(choice: KubeconfigChoice) -> Mapping[str, Any]:
    """The `exec` of the chosen user, whose types were checked when it was read.

    :raises ScanError: bad_file; no_credential for one that needs a terminal
    """
    config: Mapping[str, Any] = choice.user.content["exec"]
    version, mode = config.get("apiVersion"), config.get("interactiveMode")
    if not config.get("command"):
        raise _unusable(choice, "has no command")
    if version not in _API_VERSIONS:
        raise _unusable(choice, f"has the apiVersion {version!r}, not one of {', '.join(_API_VERSIONS)}")
    if not mode and version != _BETA:
        raise _unusable(choice, "has no interactiveMode, which its apiVersion demands")
    if mode and mode not in _INTERACTIVE_MODES:
        raise _unusable(
            choice, f"has the interactiveMode {mode!r}, not one of {', '.join(_INTERACTIVE_MODES)}"
        )
    if any(not (entry or {}).get("name") for entry in config.get("env") or []):
        raise _unusable(choice, "has an entry of its env without a name")
    if mode == "Always":
        raise _failed(
            choice,
            "it needs a terminal (interactiveMode: Always), and a task has none",
            advice="Log in with the plugin beforehand where it keeps its token, and set interactiveMode to "
            "IfAvailable; or give the task another credential.",
        )
    return config


def _unusable(choice: KubeconfigChoice, what: str) -> ScanError:
    return ScanError("bad_file", f"the exec plugin of user {choice.user.name!r} of {choice.source} {what}")


def plugin_command(choice: KubeconfigChoice) -> str:
    """The program of the chosen user's exec plugin: a path, or a name that is looked up in PATH; "" where it has
    none."""
    command: str = (choice.user.content.get("exec") or {}).get("command") or ""
    return str(choice.user.folder / Path(command).expanduser()) if "/" in command else command


def _environment(
    choice: KubeconfigChoice, config: Mapping[str, Any], environ: Mapping[str, str]
) -> dict[str, str]:
    result = dict(environ)
    # A value that is null or not there is an empty one.
    result.update({entry["name"]: entry.get("value") or "" for entry in config.get("env") or []})
    info: dict[str, Any] = {
        "apiVersion": config["apiVersion"],
        "kind": "ExecCredential",
        "spec": {"interactive": False},
    }
    if config.get("provideClusterInfo"):
        info["spec"]["cluster"] = _cluster_info(choice)
    result["KUBERNETES_EXEC_INFO"] = json.dumps(info)
    return result


def _cluster_info(choice: KubeconfigChoice) -> dict[str, Any]:
    cluster = choice.cluster
    keys = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")
    info = {key: cluster.content[key] for key in keys if key in cluster.content}
    ca = cluster.file_or_data("certificate-authority")
    if ca is not None:
        info["certificate-authority-data"] = base64.b64encode(ca).decode("ascii")
    for extension in filter(None, cluster.list_of("extensions")):
        if extension.get("name") == "client.authentication.k8s.io/exec":
            info["config"] = extension.get("extension")
    return info


def _run(argv: list[str], environ: Mapping[str, str], choice: KubeconfigChoice) -> bytes:
    program = server_text(argv[0])
    try:
        # the engine runs where there is no module with a run_command, in the controller process
        # pylint: disable-next=ansible-bad-function
        process = subprocess.Popen(  # noqa: S603 - running what the operator's kubeconfig names is the purpose
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "bad argument"
        hint = choice.user.content["exec"].get("installHint") or ""
        raise _failed(
            choice,
            f"{program} cannot be started ({reason})",
            advice=server_text(hint) if isinstance(error, FileNotFoundError) else "",
        ) from None
    try:
        stdout, stderr = process.communicate(timeout=PLUGIN_SECONDS)
    except subprocess.TimeoutExpired:
        raise _failed(choice, f"{program} did not end within {PLUGIN_SECONDS:g} s") from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode != 0:
        lines = stderr.decode("utf-8", "replace").strip().splitlines() or ["it printed no message"]
        raise _failed(
            choice, f"{program} ended with exit code {process.returncode}: {server_text(lines[0], limit=200)}"
        )
    return stdout


def _parse(output: bytes, version: str, choice: KubeconfigChoice) -> PluginCredential:
    try:
        document = json.loads(output)
        status = document["status"]
        if document["kind"] != "ExecCredential" or document["apiVersion"] != version:
            raise _failed(choice, f"it printed no ExecCredential of {version}")
        token = status.get("token") or ""
        chain, key = status.get("clientCertificateData"), status.get("clientKeyData")
        expires = (
            parse_rfc3339(status["expirationTimestamp"]).timestamp()
            if status.get("expirationTimestamp")
            else None
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _failed(choice, "what it printed is not a valid ExecCredential") from None
    if bool(chain) != bool(key):
        raise _failed(choice, "it printed a certificate without its key, or a key without its certificate")
    if not token and not chain:
        raise _failed(choice, "it printed neither a token nor a client certificate")
    certificate = ClientCertificate(str(chain).encode(), str(key).encode()) if chain else None
    return PluginCredential(str(token), certificate, expires)


def _failed(choice: KubeconfigChoice, what: str, advice: str = "") -> ScanError:
    return ScanError(
        "no_credential",
        f"the exec plugin of user {choice.user.name!r} of {choice.source} failed: {what}",
        cause="The kubeconfig's exec plugin gave no credential.",
        advice=advice or "Run the plugin's command by hand, with the same environment, and log in again.",
    )
