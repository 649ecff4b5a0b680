# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to a cluster: where it is, what we trust, who we are."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from ..errors import ScanError
from ..network.deadline import Deadline
from ..network.host_name import is_host
from ..network.http_pool import HttpTarget
from ..network.proxy import ProxyChoice, basic_credential, choose_proxy
from ..network.tls import ClientCertificate, TlsClient, read_file
from ..network.transport import Endpoint, TlsStream, open_stream
from ..safe_text import server_text
from ..times import api_time
from .connection_options import ConnectionOptions, add_environment
from .credentials import (
    AuthProvider,
    Credential,
    CredentialSource,
    ExecPlugin,
    TokenFile,
    bearer,
    end_of_token,
)
from .exec_plugin import plugin_command
from .kubeconfig import KubeconfigChoice, KubeconfigSource, load_kubeconfig
from .loose_files import loose_kubeconfigs, loose_program
from .request_log import RequestLog

__all__ = ["ClusterConnection", "ConnectionOptions", "connect", "namespace_of_context"]

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_USER_AGENT = "securescan.kubernetes"
_DEFAULT_NAMESPACE = "default"
GRANTOR, SCANNER = "grantor", "scanner"


class ClusterConnection:
    """One API server and one identity. Safe to use from several threads.

    :ivar cluster_name: the kubeconfig's name of the cluster, else host:port
    :ivar warnings: for the operator, about how this connection was configured
    :ivar role: in whose name it acts: the grantor's, or the scanner's
    :ivar log: of what is asked of the cluster by this connection and those made of it
    """

    def __init__(
        self,
        endpoint: Endpoint,
        trust: TlsClient,
        source: CredentialSource,
        cluster_name: str,
        *,
        impersonation: Sequence[tuple[str, str]] = (),
        warnings: Sequence[str] = (),
        user: str = "",
        role: str = GRANTOR,
        log: RequestLog | None = None,
    ) -> None:
        """:param user: whose the credential is, for messages; it stands behind what the source says"""
        self.endpoint = endpoint
        self.cluster_name = cluster_name
        self.warnings = tuple(warnings)
        self.role = role
        self.log = log or RequestLog()
        self._user = user
        self._trust = trust
        self._source = source
        self._impersonation = tuple(impersonation)
        self._tls = trust
        self._lock = threading.Lock()

    @property
    def server(self) -> str:
        """The API server's URL."""
        return f"https://{self.endpoint.authority}{self.endpoint.base_path}"

    def with_bearer_token(self, token: str) -> ClusterConnection:
        """The same server and trust with another identity: this token alone.

        No client certificate, no impersonation, no renewal: if the token is refused, nothing else is tried.

        :raises ScanError: no_credential
        """
        return ClusterConnection(
            self.endpoint,
            self._trust,
            CredentialSource(Credential(bearer(token)), "the scanner's token"),
            self.cluster_name,
            warnings=self.warnings,
            role=SCANNER,
            log=self.log,
        )

    def headers(self) -> list[tuple[str, str]]:
        """The headers that every request gets: who we are.

        :raises ScanError: no_credential, bad_file
        """
        authorization = self._source.current().authorization
        headers = [("User-Agent", _USER_AGENT)]
        if authorization:
            headers.append(("Authorization", authorization))
        return headers + list(self._impersonation)

    def renew_credential(self) -> bool:
        """The server answered 401.

        True if there is another credential, so that the request can be tried again.
        """
        return self._source.renew()

    def explained(self, error: ScanError) -> ScanError:
        """A failure of a request; one of who we are (401) says which credential was refused, and whose it is."""
        if error.reason != "not_authenticated":
            return error
        ends = end_of_token(self._source.newest.authorization)
        end = f" It says of itself that it ends at {api_time(ends)}." if ends else ""
        error.cause = f"{self.server} did not accept {self._source.what}{self._user}.{end}"
        if self.role == GRANTOR:
            error.advice = (
                "Log in again or renew this credential: it is the grantor's, your own, not the scanner's."
            )
        return error

    def tls(self) -> TlsClient:
        """TLS with the current client certificate.

        :raises ScanError: no_credential, bad_file
        """
        certificate = self._source.current().certificate
        with self._lock:
            if self._tls.certificate != certificate:
                self._tls = (
                    self._trust
                    if certificate is None
                    else TlsClient(self._trust.ca_pem, self._trust.verify, certificate)
                )
            return self._tls

    def target(self) -> HttpTarget:
        """The server, and who we are at this moment.

        :raises ScanError: no_credential, bad_file
        """
        return HttpTarget(self.endpoint, self.tls(), tuple(self.headers()), tuple(self.secrets()))

    def open(self, deadline: Deadline) -> TlsStream:
        """A new connection.

        :raises ScanError: unreachable, tls_failed, no_credential, bad_file, cancelled, timed_out
        """
        return open_stream(self.endpoint, self.tls(), deadline)

    def secrets(self) -> list[str]:
        """Texts that must not appear in any message, though a server can send them back."""
        value = self._source.current().authorization
        return [part for part in (value, value.partition(" ")[2]) if part]

    def __repr__(self) -> str:
        return f"ClusterConnection({self.cluster_name}, {self.server})"


def connect(
    options: ConnectionOptions, environ: Mapping[str, str], log: RequestLog | None = None
) -> ClusterConnection:
    """Find the server and the credential. No request is sent, but an exec plugin is run.

    The order: `in_cluster`; a host with a credential; a kubeconfig or context, with other options laid over
    it; else KUBECONFIG or ~/.kube/config, as kubectl does. The pod's own identity is never taken unless
    `in_cluster` says so.

    :param environ: the environment's variables: K8S_AUTH_*, KUBECONFIG, HOME, HTTPS_PROXY, NO_PROXY
    :param log: of what is asked of the cluster
    :raises ScanError: no_credential, bad_option, bad_file, missing_library
    """
    if options.kubeconfig_secret is not None:
        raise ValueError("a kubeconfig in a Secret is read by connect_as_given")
    resolved = add_environment(options, environ)
    if resolved.in_cluster:
        connection = _from_service_account(resolved, environ)
    elif resolved.host and resolved.has_credential and not options.names_kubeconfig:
        connection = _assemble(resolved, environ, None)
    else:
        connection = _assemble(
            resolved, environ, load_kubeconfig(_kubeconfig_source(resolved, environ), resolved.context)
        )
    connection.log = log or connection.log
    connection.tls()  # so that a bad certificate, key or plugin is found now
    return connection


def namespace_of_context(options: ConnectionOptions, environ: Mapping[str, str]) -> str:
    """The namespace that is meant where none is named: that of the kubeconfig's context, else `default`, as for kubectl.

    :raises ScanError: as `connect`
    """
    if options.in_cluster or (options.host and options.has_credential and not options.names_kubeconfig):
        return _DEFAULT_NAMESPACE
    choice = load_kubeconfig(_kubeconfig_source(options, environ), options.context)
    return choice.context.text("namespace") or _DEFAULT_NAMESPACE


def _kubeconfig_source(options: ConnectionOptions, environ: Mapping[str, str]) -> KubeconfigSource:
    if options.kubeconfig:
        return options.kubeconfig
    if options.host and not options.context:
        raise ScanError(
            "no_credential",
            "a host was given without api_key, client_cert or username",
            cause="The current user of a kubeconfig is not used for a host that it does not name.",
        )
    if environ.get("KUBECONFIG"):
        return environ["KUBECONFIG"]
    default = Path(environ["HOME"] if environ.get("HOME") else "~").expanduser() / ".kube" / "config"
    if not default.exists():
        raise ScanError("no_credential", f"no kubeconfig and no host were given, and there is no {default}")
    return str(default)


def _assemble(
    options: ConnectionOptions, environ: Mapping[str, str], choice: KubeconfigChoice | None
) -> ClusterConnection:
    """The connection of a kubeconfig, if there is one, with the options in place of what it says."""
    cluster = choice.cluster if choice else None
    server = options.host or (cluster.text("server") if cluster else "")
    if options.ca_cert:
        ca: bytes | None = read_file(Path(options.ca_cert).expanduser(), "ca_cert")
    else:
        ca = cluster.file_or_data("certificate-authority") if cluster else None
    host, port, base_path = _split_server(server)
    endpoint = Endpoint(
        host,
        port,
        base_path,
        _server_name(options, choice) or host,
        choose_proxy(host, port, environ, _proxy_choice(options, choice)),
    )
    warnings = []
    if options.validate_certs is False:
        warnings.append(
            f"The certificate of {endpoint.authority} is not verified (validate_certs or "
            "K8S_AUTH_VERIFY_SSL is false). AWX sets that variable when its credential has no CA."
        )
    elif cluster and cluster.content.get("insecure-skip-tls-verify"):
        warnings.append(
            "The kubeconfig's insecure-skip-tls-verify is ignored; only validate_certs: false turns verification off."
        )
    if choice:
        warnings += _looseness(choice, environ, runs_plugin=not options.has_credential)
    if options.has_credential or choice is None:
        source = CredentialSource(_credential_of_options(options), _what_options_give(options))
    else:
        source = _credential_of_user(choice, environ)
    impersonation = _impersonation(options, choice.user.content if choice else {})
    return ClusterConnection(
        endpoint,
        TlsClient(ca, options.validate_certs is not False),
        source,
        cluster.name if cluster else endpoint.authority,
        impersonation=impersonation,
        warnings=warnings,
        user=_whose(options, choice),
    )


def _server_name(options: ConnectionOptions, choice: KubeconfigChoice | None) -> str:
    """The name that a certificate must carry, where it is not the host's: that of a kubeconfig is about its own server."""
    if options.tls_server_name or options.host or choice is None:
        name = options.tls_server_name or ""
    else:
        name = choice.cluster.text("tls-server-name")
    if name and not is_host(name):
        raise ScanError(
            "bad_option", "tls_server_name (tls-server-name of a kubeconfig) is not the name of a host"
        )
    return name


def _whose(options: ConnectionOptions, choice: KubeconfigChoice | None) -> str:
    """Whose a credential is, to stand behind it in a message."""
    if choice is None or options.has_credential:
        return ""
    return f" of user {choice.user.name!r} (context {choice.context.name!r} of {choice.source})"


def _proxy_choice(options: ConnectionOptions, choice: KubeconfigChoice | None) -> ProxyChoice:
    exceptions, headers = options.no_proxy or "", options.proxy_headers
    of_cluster = choice.cluster.text("proxy-url") if choice else ""
    if choice and of_cluster and not options.proxy:
        source = f"proxy-url of cluster {choice.cluster.name!r} of {choice.source}"
        return ProxyChoice(of_cluster, source, exceptions, headers)
    return ProxyChoice(options.proxy or "", "proxy (or K8S_AUTH_PROXY)", exceptions, headers)


def _looseness(choice: KubeconfigChoice, environ: Mapping[str, str], *, runs_plugin: bool) -> list[str]:
    """Warnings about files that others can change or read, of which this connection is made."""
    program = server_text(plugin_command(choice)) if runs_plugin else ""
    warnings = loose_kubeconfigs(choice.files, program)
    found = shutil.which(plugin_command(choice), path=environ.get("PATH")) if program else None
    return warnings + (loose_program(Path(found)) if found else [])


def _from_service_account(options: ConnectionOptions, environ: Mapping[str, str]) -> ClusterConnection:
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        raise ScanError(
            "no_credential",
            "in_cluster was asked for, but this is not a pod: KUBERNETES_SERVICE_HOST and "
            "KUBERNETES_SERVICE_PORT are not set",
        )
    if options.names_kubeconfig or options.host or options.has_credential:
        raise ScanError("bad_option", "in_cluster excludes kubeconfig, context, host and every credential")
    host, port_number, _path = _split_server(
        "https://{}:{}".format(f"[{host}]" if ":" in host else host, port)
    )
    trust = TlsClient(read_file(_SERVICE_ACCOUNT / "ca.crt", "the service account's CA"), True)
    endpoint = Endpoint(host, port_number, "", host)
    return ClusterConnection(
        endpoint,
        trust,
        TokenFile(_SERVICE_ACCOUNT / "token"),
        endpoint.authority,
        impersonation=_impersonation(options, {}),
    )


def _split_server(server: str) -> tuple[str, int, str]:
    """Host, port and base path of a server's URL."""
    try:
        parts = urlsplit(server if "://" in server else "https://" + server)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError:
        host, port, parts = "", 0, urlsplit("")
    is_plain = is_host(host) and parts.path.isascii() and parts.path.isprintable() and " " not in parts.path
    if not is_plain or parts.username or parts.query or parts.fragment:
        raise ScanError("bad_option", "the server's address is not a URL of the form https://host:port")
    if parts.scheme != "https":
        raise ScanError(
            "bad_option", "the server's address must begin with https://, as a credential is sent to it"
        )
    return host, port, parts.path.rstrip("/")


def _credential_of_options(options: ConnectionOptions) -> Credential:
    if options.api_key and options.username:
        raise ScanError("bad_option", "give either api_key or username, not both")
    if bool(options.username) != bool(options.password):
        raise ScanError("bad_option", "username and password go together")
    if options.client_key and not options.client_cert:
        raise ScanError("bad_option", "client_key needs client_cert")
    certificate = None
    if options.client_cert:
        chain = read_file(Path(options.client_cert).expanduser(), "client_cert")
        key = read_file(Path(options.client_key).expanduser(), "client_key") if options.client_key else chain
        certificate = ClientCertificate(chain, key)
    if options.username:
        return Credential(basic_credential(options.username, options.password or ""), certificate)
    return Credential(bearer(options.api_key) if options.api_key else "", certificate)


def _what_options_give(options: ConnectionOptions) -> str:
    if options.api_key:
        return "the token of api_key (or K8S_AUTH_API_KEY)"
    if options.username:
        return f"the password of the user {options.username!r}"
    return f"the client certificate {options.client_cert}"


def _credential_of_user(choice: KubeconfigChoice, environ: Mapping[str, str]) -> CredentialSource:
    """The user's credential, by the precedence of client-go."""
    user = choice.user
    certificate = _certificate_of_user(choice)
    _check_methods(choice)
    token_file = user.path("tokenFile")
    if token_file is not None:
        return TokenFile(token_file, certificate, user.text("token"))
    if user.text("token"):
        return CredentialSource(Credential(bearer(user.text("token")), certificate), "the token")
    if user.text("username"):
        return CredentialSource(
            Credential(basic_credential(user.text("username"), user.text("password")), certificate),
            "the password",
        )
    if user.content.get("exec"):
        return ExecPlugin(choice, environ, certificate)
    if user.content.get("auth-provider"):
        return AuthProvider(choice)
    if certificate is None:
        raise ScanError(
            "no_credential",
            f"user {user.name!r} of {choice.source} has no credential"
            if user.name
            else f"context {choice.context.name!r} of {choice.source} names no user",
        )
    return CredentialSource(Credential("", certificate), "the client certificate")


def _certificate_of_user(choice: KubeconfigChoice) -> ClientCertificate | None:
    """The user's client certificate; a key alone is left aside, as client-go does."""
    chain = choice.user.file_or_data("client-certificate")
    if not chain:
        return None
    key = choice.user.file_or_data("client-key")
    if not key:
        raise ScanError(
            "bad_file",
            f"user {choice.user.name!r} of {choice.source} has a client certificate without its key",
        )
    return ClientCertificate(chain, key)


def _check_methods(choice: KubeconfigChoice) -> None:
    """Refuse a user with two credentials of which kubectl would not choose one."""
    user = choice.user
    has_password = bool(user.text("username") or user.text("password"))
    for first, second, has_both in (
        ("a token", "a username or password", bool(user.text("token")) and has_password),
        ("exec", "auth-provider", bool(user.content.get("exec")) and bool(user.content.get("auth-provider"))),
    ):
        if has_both:
            raise ScanError(
                "bad_file",
                f"user {user.name!r} of {choice.source} has both {first} and {second}",
                advice="Leave the credential that is meant, and remove the other: kubectl refuses both, too.",
            )


def _impersonation(options: ConnectionOptions, user: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The Impersonate-* headers. A kubeconfig's `as` is obeyed: without it we would be another user."""
    name = options.impersonate_user or user.get("as") or ""
    groups = options.impersonate_groups or (() if options.impersonate_user else user.get("as-groups")) or ()
    headers = [("Impersonate-User", name)] if name else []
    headers += [("Impersonate-Group", group) for group in groups]
    if not options.impersonate_user:
        headers += [("Impersonate-Uid", user["as-uid"])] if user.get("as-uid") else []
        extra: dict[str, Sequence[str]] = user.get("as-user-extra") or {}
        headers += [
            ("Impersonate-Extra-" + quote(key.lower(), safe=""), value)
            for key, values in extra.items()
            for value in values or ()
        ]
    if headers and not name:
        raise ScanError(
            "bad_option", "impersonated groups, uids and extra values need an impersonated user (as)"
        )
    for header, value in headers:
        if not isinstance(value, str) or not value.isascii() or not value.isprintable():
            raise ScanError("bad_option", f"{header} contains characters that are not allowed in a header")
    return headers
