# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Request Tracker: Debian's, over a database of its own, behind TLS, with a user who has the rights that tickets need."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from ..cluster import debian_packages
from ..fake_api_server.certificates import Authority
from .free_port import free_port
from .served_program import served

SHARE = pathlib.Path("/usr/share/request-tracker5")
_SERVER = str(SHARE / "libexec" / "rt-server")
_CONFIG = pathlib.Path("/etc/request-tracker5/RT_SiteConfig.d")
_DATABASE = pathlib.Path("/var/lib/dbconfig-common/sqlite3/request-tracker5/rtdb")
QUEUE, FIELD, USER, PASSWORD = "Security", "Scan Key", "scanner", "rt-scanner-password"
# One that the user can see, and must not set.
SHOWN_FIELD = "Shown Key"
# The queue, the field and the user, as an administrator makes them.
_SETUP = r"""
use strict; use warnings; use RT; RT::LoadConfig(); RT::Init();
my $as = RT->SystemUser;
my $queue = RT::Queue->new($as); my ($ok, $said) = $queue->Create(Name => 'Security'); die $said unless $ok;
my $field = RT::CustomField->new($as);
($ok, $said) = $field->Create(Name => 'Scan Key', Type => 'Freeform', MaxValues => 1, LookupType => 'RT::Queue-RT::Ticket');
die $said unless $ok;
($ok, $said) = $field->AddToObject($queue); die $said unless $ok;
my $shown = RT::CustomField->new($as);
($ok, $said) = $shown->Create(Name => 'Shown Key', Type => 'Freeform', MaxValues => 1, LookupType => 'RT::Queue-RT::Ticket');
die $said unless $ok;
($ok, $said) = $shown->AddToObject($queue); die $said unless $ok;
my $user = RT::User->new($as);
($ok, $said) = $user->Create(Name => 'scanner', Password => $ENV{SCANNER_PASSWORD}, Privileged => 1); die $said unless $ok;
for my $right (qw(SeeQueue CreateTicket ShowTicket ShowTicketComments ModifyTicket CommentOnTicket)) {
  ($ok, $said) = $user->PrincipalObj->GrantRight(Right => $right, Object => $queue); die "$right $said" unless $ok;
}
for my $right (qw(SeeCustomField ModifyCustomField)) {
  ($ok, $said) = $user->PrincipalObj->GrantRight(Right => $right, Object => $field); die "$right $said" unless $ok;
}
($ok, $said) = $user->PrincipalObj->GrantRight(Right => 'SeeCustomField', Object => $shown); die $said unless $ok;
"""


@dataclass(frozen=True)
class RequestTrackerServer:
    url: str
    ca: pathlib.Path


@contextlib.contextmanager
def request_tracker_server(folder: pathlib.Path) -> Iterator[RequestTrackerServer]:
    """Its packages are installed where they are missing: 67 MB, a minute."""
    debian_packages.ensure([_SERVER])
    port, authority = free_port(), Authority(folder)
    config = folder / "RT_SiteConfig.d"
    shutil.copytree(_CONFIG, config)
    shutil.copy(_DATABASE, folder / "rtdb")
    (config / "99-test.pm").write_text(
        f"Set($DatabaseName, '{folder}/rtdb'); Set($WebPath, ''); Set($WebDomain, '127.0.0.1'); Set($WebPort, {port});\n"
        "Set($WebBaseURL, 'http://127.0.0.1'); Set($LogToSTDERR, 'warning'); Set($LogToSyslog, undef); 1;\n"
    )
    environment = {**os.environ, "RT_SITE_CONFIG_DIR": str(config), "SCANNER_PASSWORD": PASSWORD}
    subprocess.run(["perl", f"-I{SHARE}/lib", "-e", _SETUP], check=True, env=environment)
    command = [_SERVER, "--host", "127.0.0.1", "--port", str(port)]
    with served(command, port, folder / "log", environment), _behind_tls(authority, port) as outer:
        yield RequestTrackerServer(f"https://127.0.0.1:{outer}", authority.ca)


@contextlib.contextmanager
def _behind_tls(authority: Authority, port: int) -> Iterator[int]:
    """A port with TLS in front of one without."""
    shown = authority.server("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.certificate, shown.key)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=_join, args=(connection, context, port), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def _join(connection: socket.socket, context: ssl.SSLContext, port: int) -> None:
    """Copies in both directions. A server without TLS answers one request after the other, so one thread for each is enough."""
    with (
        contextlib.suppress(OSError),
        context.wrap_socket(connection, server_side=True) as outer,
        socket.create_connection(("127.0.0.1", port)) as inner,
    ):
        back = threading.Thread(target=_copy, args=(inner, outer), daemon=True)
        back.start()
        _copy(outer, inner)
        back.join(10)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR) if not isinstance(target, ssl.SSLSocket) else target.unwrap()
