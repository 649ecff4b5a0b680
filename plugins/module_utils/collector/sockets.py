# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sockets: what listens for TCP and UDP in the container's network namespace, which all containers of a pod
share.

From /proc/net. A TCP socket listens in state 0A; a UDP socket that is bound and not connected is in state 07.
So is one of a client for the moment in which it waits for an answer, of a name server for instance. Where a look
shows UDP ports that the kernel gives out to clients, it is looked again:

- The next look shows none but those: what it shows listens, whatever address and user it has now.
- It shows others: it is looked again. Where each look of 15 seconds (50 looks at most) shows others, nothing is known: a
  program could hide behind that by listening at another port each time.

A pod can set that range of ports for itself (net.ipv4.ip_local_port_range). Below 32768, where it begins by default, a
port is never taken for a client's.

The kernel prints an address as 32-bit words in the machine's byte order; the port it prints as a number. The
order is taken from the header of the shell's own program file (the ELF format's EI_DATA, 1 is little, 2 is
big); by head where it is there, because most shells read it byte by byte up to a newline, which is far away.
"""

from __future__ import annotations

import ipaddress
import re

from .facts import OK, UNREADABLE, Fact, Query
from .family import RUNNING, Answer, Family, call
from .frames import BadContentError, decode_text, read_integer
from .query_rules import NO_SUBJECT

_SHELL = r"""
sockets() {
  sockets__query=$1
  if ! see /proc/net/tcp; then
    [ $status != absent ] || status=unsupported cause='there is no /proc/net/tcp'
    unseen $sockets__query
    return
  fi
  line=
  if has head; then line=$(head -c 6 /proc/$target__process/exe); else IFS= read -r line </proc/$target__process/exe; fi
  case $line in
  ?ELF?BIG*) sockets__order=big ;;
  ?ELF*) sockets__order=little ;;
  *) unsupported $sockets__query 'the byte order of the machine cannot be found'; return ;;
  esac
  shift
  for sockets__protocol in tcp tcp6 udp udp6; do
    if see /proc/net/$sockets__protocol; then set -- "$@" "$path"
    elif [ $status = unreadable ]; then unseen $sockets__query; return
    fi
  done
  sockets_lines "$@" || { put "q$sockets__query" unreadable text '/proc/net cannot be read'; return; }
  sockets__before=$text sockets__last= sockets__looks=0
  now; sockets__began=$now__seconds
  sockets_of_clients
  sockets__new=$sockets__clients
  while [ "$sockets__new" ] && [ $sockets__looks -lt 50 ] && [ $((now__seconds-sockets__began)) -lt 15 ] && ! late; do
    moment
    [ ! "$sockets__last" ] || sockets__before=$sockets__last
    sockets__known=$sockets__clients
    sockets_lines "$@" || { sockets__last=; break; }
    sockets__last=$text$nl sockets__new= sockets__looks=$((sockets__looks+1))
    sockets_of_clients
    for sockets__client in $sockets__clients; do
      case " $sockets__known " in *" $sockets__client "*) ;; *) sockets__new=1 ;; esac
    done
  done
  put "q$sockets__query" ok text "$sockets__order$nl$sockets__before"
  [ ! "$sockets__last" ] || put "q$sockets__query.again" ok text "$sockets__least $sockets__most$nl$sockets__last"
}
sockets_lines() {
  if has grep; then
    text=$(grep -HE '^ *[0-9]+: [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:0000 (0A|07) ' "$@")
    [ $? -le 1 ]
    return
  fi
  text=
  for sockets__file do
    sockets__failed=1
    { sockets__failed=0; while IFS= read -r line; do text=$text$sockets__file:$line$nl; done; } <$sockets__file
    [ $sockets__failed = 0 ] || return
  done
}
sockets_of_clients() {
  sockets__clients=
  case $text in *:0000' 07 '*) ;; *) return ;; esac
  sockets__least=32768 sockets__most=60999
  if has cat && see /proc/sys/net/ipv4/ip_local_port_range; then
    set -- $(cat "$path")
    [ $# != 2 ] || sockets__least=$1 sockets__most=$2
    [ $sockets__least -ge 32768 ] || sockets__least=32768
  fi
  IFS=$nl
  for line in $text; do
    case $line in /proc/net/udp*:0000' 07 '*) ;; *) continue ;; esac
    sockets__protocol=${line#/proc/net/} sockets__protocol=${sockets__protocol%%:*}
    line=${line#*:*: }; line=${line#*:}; sockets__port=${line%% *}
    case $sockets__port in *[!0-9A-F]*|'') continue ;; ????) ;; *) continue ;; esac
    if [ $((0x$sockets__port)) -ge $sockets__least ] && [ $((0x$sockets__port)) -le $sockets__most ]; then
      sockets__clients="$sockets__clients $sockets__protocol/$sockets__port"
    fi
  done
  IFS=' 	'$nl
}
""".replace("BIG", "\x02")

_LINE = re.compile(
    rb"/proc/net/(tcp6?|udp6?): *[0-9]+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]+):0000 "
    rb"(0A|07) [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:[0-9A-F]+ [0-9A-F]+ +([0-9]{1,10}) "
)
_OTHER = re.compile(
    rb"/proc/net/(tcp6?|udp6?): *(sl |[0-9]+: [0-9A-F]+:[0-9A-F]+ [0-9A-F]+:[0-9A-F]+ [0-9A-F]{2} )"
)
_LEAST_OF_CLIENTS = 32768
_LISTENING = {b"tcp": b"0A", b"tcp6": b"0A", b"udp": b"07", b"udp6": b"07"}


def _read_sockets(answer: Answer, query: Query) -> Fact:
    order, _newline, text = answer.get_own().partition(b"\n")
    if order not in (b"little", b"big"):
        raise BadContentError("the byte order of the machine is not told")
    found = _read_lines(text, order == b"big")
    if answer.has_part("again"):
        ports, _newline, text = answer.get_part("again").partition(b"\n")
        least, most = [*map(read_integer, ports.split()), 0, 0][:2]
        of_clients = range(max(least, _LEAST_OF_CLIENTS), most + 1)
        again = [row for row in _read_lines(text, order == b"big") if _is_udp_of(row, of_clients)]
        others = {(row[0], row[2]) for row in again} - {(row[0], row[2]) for row in found}
        if others:
            return Fact(
                UNREADABLE,
                cause="{} port {} can be a client's or a listener's: at each look there was another one".format(
                    *min(others)
                ),
            )
        found = [row for row in found if not _is_udp_of(row, of_clients)] + again
    return Fact(OK, [dict(zip(("protocol", "address", "port", "uid"), socket)) for socket in sorted(found)])


def _is_udp_of(row: tuple[str, str, int, int], ports: range) -> bool:
    return row[0].startswith("udp") and row[2] in ports


def _read_lines(text: bytes, big: bool) -> list[tuple[str, str, int, int]]:
    """The sockets that listen: protocol, address, port, uid."""
    found: list[tuple[str, str, int, int]] = []
    for line in text.split(b"\n"):
        match = _LINE.match(line)
        if match is None:
            if line and not _OTHER.match(line):
                raise BadContentError(f"a line of /proc/net is not understood: {decode_text(line[:80])}")
            continue
        protocol, address, port, _remote, state, uid = match.groups()
        if state == _LISTENING[protocol]:
            found.append((protocol.decode(), decode_address(address, big), int(port, 16), int(uid)))
    return found


def decode_address(digits: bytes, big: bool) -> str:
    """The hex digits of an IPv4 or IPv6 address from /proc/net as text. `big`: the machine is big-endian."""
    words = [bytes.fromhex(digits[at : at + 8].decode()) for at in range(0, len(digits), 8)]
    return str(ipaddress.ip_address(b"".join(words if big else [word[::-1] for word in words])))


SOCKETS = Family(
    subject=NO_SUBJECT,
    value='a sorted list of {"protocol": tcp, tcp6, udp or udp6, "address": str, "port": int, "uid": int}',
    calls=call("sockets"),
    read=_read_sockets,
    shell=_SHELL,
    uses=("moment",),
    programs=("grep", "head", "cat", "readlink"),
    parts=("again",),
    reach=RUNNING,
)
