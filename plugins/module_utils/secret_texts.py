# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What in a text looks like a secret. It is a help and no promise: a password can look like any other word.

It is asked last, after everything that is secret by its kind has been left out (`Family.sensitive`). The aim is to
miss nothing usual. A harmless text that is taken for a secret is not shown, and not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .secret_names import is_secret_of_name

_BY_NAME = "a password or token"
_ON_COMMAND_LINE = "a password on a command line"


@dataclass(frozen=True)
class _Look:
    """How one kind of secret looks.

    `certain`: the form leaves little doubt, so that a control can fail on it.
    `hints`: the text is searched only where one of these is in it, in small letters; none: always. The text comes
    from a container: the pattern takes no more than linear time, so what repeats is bounded, or begins nowhere within
    itself.
    """

    what: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    certain: bool = False


def _look(what: str, hints: str, *patterns: str, certain: bool = False) -> _Look:
    return _Look(what, tuple(hints.split()), re.compile("|".join(patterns), re.MULTILINE), certain)


_LOOKS = (
    _look(
        "a private key",
        'private age-secret putty rsakeyvalue "d" "k"',
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY",
        r"\bPuTTY-User-Key-File-|^Private-Lines:",
        r"\bAGE-SECRET-KEY-1",
        r"\"[dk]\"\s{0,9}:\s{0,9}\"[A-Za-z0-9_-]{16}",
        r"<RSAKeyValue>",
        certain=True,
    ),
    _look(
        "a token",
        "eyj .local. akia asia abia acca ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- glptt- gldt- glrt- "
        "glcbt- glagent- glsoat- gloas- glft- glimt- xox xapp- k_live_ k_test_ whsec_ aiza ya29. sg. npm_ "
        "pypi- hvs. hvb. hvr. s. b. do sk- key- shpat_ shpss_ shpca_ shppa_ sq0 dapi glsa_ lin_api_ fig "
        "rubygems_ dckr_ hf_ atatt3 atbb pmak- sntrys_ nvapi- xkeysib- tskey- dt0c01. nrak- akcp oy2 :aa "
        "eaac sk a3-",
        r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10}|(?<![A-Za-z0-9_-])eyJhbGciO[A-Za-z0-9_-]{4}",
        r"(?<![A-Za-z0-9_-])v[1-4]\.local\.[\w-]{20}",
        r"\bA(?:KIA|SIA|BIA|CCA)[0-9A-Z]{16}\b",
        r"\bgh[pousr]_[A-Za-z0-9]{20}|\bgithub_pat_\w{20}|\bgl(?:pat|ptt|dt|rt|cbt|agent|soat|oas|ft|imt)-[\w-]{16}",
        r"\bxox[abeoprs]-[\w-]{10}|\bxapp-[\w-]{10}|\bxkeysib-[\w-]{16}",
        r"\b[srp]k_(?:live|test)_\w{8}|\bsk-[\w-]{20}|\bsntrys_\w{16}|\bSK[0-9a-f]{32}\b|\bSG\.[\w-]{10,64}\.[\w-]{10}",
        r"\bshp(?:at|ss|ca|pa)_\w{16}|\bsq0(?:atp|csp)-[\w-]{16}|\bwhsec_\w{16}|\bAIza[\w-]{30}|\bya29\.[\w-]{20}",
        r"\bnpm_\w{20}|\bpypi-[\w-]{16}|\bhv[sbr]\.[\w-]{16}|(?<![\w.])[sb]\.[A-Za-z0-9]{24}(?!\w)|\bhf_[A-Za-z]\w{16}",
        r"\bdo[opr]_v1_\w{16}|(?<![\w-])key-[0-9a-f]{32}|\bdapi[0-9a-f]{32}|\bdckr_(?:pat|oat)_[\w-]{16}|\bdt0c01\.\w{16}",
        r"\bglsa_\w{16}|\blin_api_\w{16}|\bfig[dou]_[\w-]{16}|\brubygems_\w{16}|\bATATT3\w{16}|\bATBB\w{16}|\bPMAK-[\w-]{16}",
        r"\bnvapi-[\w-]{16}|\btskey-[\w-]{16}|\bNRAK-\w{16}|\bAKCp\w{16}|\boy2[a-z0-9]{43}|\b[0-9]{8,10}:AA[\w-]{30}|\bEAAC[A-Z]\w{20}",
        r"\bA3-[A-Z0-9]{6}-[A-Z0-9-]{16}",
        certain=True,
    ),
    _look(  # a secret key of AWS, or the like: 40 characters of all three sorts, in no longer word
        "a token",
        "",
        r"(?<![A-Za-z0-9+/=_.:-])(?=[a-z0-9+/]{0,39}[A-Z])(?=[A-Z0-9+/]{0,39}[a-z])(?=[A-Za-z+/]{0,39}[0-9])(?!/)[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/_.-])",
        certain=True,
    ),
    _look(
        "an address with a token",
        "hooks.slack discord webhook.office api.telegram sig= signature= token= key= auth= code= sid= ticket=",
        r"\bhooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/\w|\bdiscord(?:app)?\.com/api/webhooks/\w",
        r"\bwebhook\.office\.com/webhookb2/\w|\bapi\.telegram\.org/bot\w",
        r"(?i:[?&](?:sig|signature|x-amz-signature|x-goog-signature|x-amz-security-token|key|auth|code|sid|ticket)=[\w%+/=-]{8})",
        certain=True,
    ),
    _look(
        "a password hash",
        "$ pbkdf2 scrypt: {ss {sh {sm {md {cr {pb {ar {pl {cl md5 * : 0x0",
        r"\$(?:1|2[abxy]?|5|6|7|y|gy|apr1|md5|sha1|argon2[a-z]{0,2}|scrypt|s2|P|H|S|pbkdf2[a-z0-9-]{0,8})\$[^\s:$]+\$?[^\s:]*",
        r"\bpbkdf2[_:][a-z0-9]{1,10}[$:][0-9]|\bscrypt:[0-9]{1,9}:|\bbcrypt_sha256\$|\bSCRAM-SHA-(?:1|256|512)\$",
        r"\{(?:S?SHA[0-9]{0,3}|S?MD5|CRYPT|PBKDF2[\w-]{0,12}|ARGON2|PLAIN|CLEARTEXT)\}\S{4}",
        r"^[\w.@-]{1,64}:(?=[a-z./]{0,12}[A-Z0-9])[./0-9A-Za-z]{13}(?::|\s|$)",
        r"\bmd5[0-9a-f]{32}\b|(?<!\w)\*[0-9A-F]{40}\b|:[0-9a-fA-F]{32}:[0-9a-fA-F]{32}:::|\b0x0[12]00[0-9A-F]{40}",
    ),
    _look(
        "a password in an address",
        "@ jdbc:oracle",
        r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@]{0,200}:(?![0-9]{1,5}/)[^\s@]{1,200}@",
        r"\b[\w.-]{1,64}:[^\s@/:]{1,64}@(?:tcp|unix|udp)\(",
        r"\b\w{1,30}/[^\s/@]{3,64}@(?://)?[\w.-]{1,99}(?::[0-9]{1,5})?/",
        r"\bjdbc:oracle:thin:\w{1,30}/\S",
    ),
    _look(
        "a password of a file for programs",  # .pgpass, .netrc, htdigest
        ": login user account",
        r"^(?:[\w-]{0,60}[A-Za-z][\w-]{0,60}[\w.-]{0,90}|\*|[0-9.]{7,15}):(?:[0-9]{1,5}|\*):[^\s:]{1,64}:[^\s:]{1,64}:[^\s:]{1,200}$",
        r"\b(?:login|user|account)\s{1,40}\S{1,200}\s{1,40}pass(?:word|wd)\s{1,40}\S",
        r"^[^\s:]{1,64}:[^:\n]{1,64}:[0-9a-f]{32}$",
    ),
    _look(
        "an authorization header",
        "bearer basic negotiate ntlm apikey authorization cookie sess csrf xsrf sid",
        r"(?i:\b(?:bearer|basic|negotiate|ntlm|apikey) [A-Za-z0-9+/._~-]{12})",
        r"(?i:\bauthorization[\"']?[ \t]{0,9}[:=][ \t\"']{0,9}[^\s\"'$\{])",
        r"(?i:(?:^|[\s\"';,-])(?:set-)?cookie2?[\"']?[ \t]{0,9}[:=][ \t\"']{0,9}[^\s=;\"'$]{1,64}=)",
        r"(?i:\b\w{0,20}(?:sess(?:ion)?(?:[_-]?id)?|csrf|xsrf|sid)=[\w%.+/-]{8})",
    ),
    _look(_BY_NAME, "auth", r"(?i:\bauth[\"']?[ \t]{0,9}[:=][ \t]{0,9}[\"']?[A-Za-z0-9+/_-]{8})"),
    _look(
        _ON_COMMAND_LINE,
        "mysql maria mycli 7z rar",
        r"\b(?:mysql|mysqld|mysqldump|mysqladmin|mysqlimport|mariadb|mariadb-dump|mycli|7za?|unrar|rar)\b[^\n]{0,200}?\s-p[^\s-]\S",
    ),
    _look(
        _ON_COMMAND_LINE,
        "curl wget http xh ab aria2c smbclient rpcclient lftp snmp rclone",
        r"\b(?:curl|wget|https?|httpie|xh|ab|aria2c|smbclient|rpcclient|lftp|snmp\w{1,9}|rclone)\b[^\n]{0,200}?\s"
        r"(?:-[uUaA]|--user|--proxy-user|--auth)[ =]?[^\s:%]{0,99}[:%,][^\s/]",
    ),
    _look(
        _ON_COMMAND_LINE,
        "sshpass docker podman helm mongo useradd usermod clickhouse cqlsh influx kinit mosquitto_ argocd",
        r"\b(?:sshpass|docker|podman|helm|mongo(?:sh|dump)?|mongorestore|useradd|usermod|clickhouse-client|cqlsh|influx|kinit|"
        r"mosquitto_\w{1,9}|argocd)\b[^\n]{0,200}?\s-[pP] ?[^\s-](?![0-9]*:[0-9])\S{2}",
    ),
    _look(
        _ON_COMMAND_LINE,
        "redis- ldap ipmitool sqlcmd bcp zip tsql isql snmp xfreerdp openssl",
        r"\bredis-(?:cli|server|benchmark)\b[^\n]{0,200}?\s-a ?[^\s-]",
        r"\bldap(?:search|modify|add|delete|passwd|whoami)\b[^\n]{0,200}?\s-[wsa] ?[^\s-]\S",
        r"\b(?:ipmitool|sqlcmd|bcp|zip|tsql|isql)\b[^\n]{0,200}?\s-[PU] ?[^\s-]\S{2}",
        r"\bsnmp\w{1,9}\b[^\n]{0,200}?\s-[AXc] ?\S|\bxfreerdp\b[^\n]{0,200}?\s/p:\S",
        r"\bopenssl\b[^\n]{0,200}?\s-(?:k|K|passin|passout|pass) ?\S",
    ),
    _look(
        _ON_COMMAND_LINE,
        "htpasswd rabbitmqctl chpasswd passwd sudo docker cryptsetup identified pass: password",
        r"\bhtpasswd\b[^\n]{0,99}?\s-[a-zB-Z]{0,4}b",
        r"\brabbitmqctl\b[^\n]{0,99}?(?:add_user|change_password|authenticate_user) \S{1,99} \S",
        r"\b(?:echo|printf)\b[^\n]{0,200}\|[^\n]{0,40}(?:chpasswd|passwd|sudo -S|docker login|cryptsetup)",
        r"(?i:\bIDENTIFIED (?:BY|WITH)\b|\bPASSWORD '[^']+')|\bpass:[^\s:]\S",
    ),
)
_CERTAIN = tuple(look for look in _LOOKS if look.certain)

# The names of secrets. Short ones, and `key`, are names only where what stands around them says so (`_is_name`).
_NAME = re.compile(
    r"pass(?:word|wort|wd|phrase|code)s?|pass|pwd|pw|psk|(?<![a-z])otp|(?<![a-z])pin|salt|secret|token|credential|key|masterauth|"
    r"connection[_-]?string|kennwort|passord|l(?:o|\u00f6)senord|wachtwoord|contrase(?:n|\u00f1|ny)a|mot[_-]?de[_-]?passe|mdp|senha|"
    r"haslo|heslo|salasana|parola|\u043f\u0430\u0440\u043e\u043b\u044c|\u5bc6\u7801|\u30d1\u30b9\u30ef\u30fc\u30c9",
    re.IGNORECASE,
)
_SHORT = frozenset(
    {"pass", "pwd", "pw", "psk", "otp", "pin", "salt", "mdp", "senha", "heslo", "haslo", "parola"}
)
_BEFORE_SHORT = re.compile(
    r"(?:require|store|key|root|user|admin|login|db|ssh|bind|smtp|mysql|redis|cert|trust|auth|enable|rootdn)[_-]?\Z",
    re.IGNORECASE,
)
_BEFORE_KEY = re.compile(
    r"(?:api|app|access|account|admin|auth|aes|client|cookie|consumer|crypto?|csrf|data|deploy|encrypt(?:ion)?|hmac|jwt|licen[cs]e|"
    r"master|private|recovery|secret|security|seed|service|session|shared|signing|sign|ssh|storage|symmetric|unseal|webhook)[_.-]?\Z",
    re.IGNORECASE,
)
_LONGEST_BEFORE = 20

# Values that say that there is no secret, or where it is.
_NONE = (
    r"(?:[\"']?(?:yes|no|on|off|true|false|none|null|nil|\$\{[^}\n]{0,80}\}|(?-i:\$[A-Z_][A-Z0-9_]*)|\$\([^)\n]{0,80}\)|"
    r"\{\{[^\n]{0,200}\}\}|%[a-z_]+%|\*+|\(not [^)\n]{1,80}\))?[\"']?[ \t\r]{0,40}(?:[,;#}\]<]|$))"
)
_PLACE = r"\.{0,2}/[\w./-]{0,200}(?:[\s\"',;]|$)"
_SEPARATOR = r"[\"']?[ \t]{0,40}(?::=|=>|=|:(?!:))[ \t]{0,40}"
# What stands behind the end of a name. A number is a secret only where the name ends there: it is a length, an age or
# a count elsewhere.
_VALUE = re.compile(
    rf"[\w.-]{{0,40}}{_SEPARATOR}(?!{_NONE}|{_PLACE}|[\"']?[0-9]{{1,20}}(?:[\"',;#}}\]\s]|$)|files\b)\S|"
    rf"(?:[_-]?(?:value|hash|text|data))?{_SEPARATOR}[\"']?[0-9]|"
    # in the next line, as YAML has it
    r"[\"']?[ \t]{0,40}[:=][ \t]{0,40}(?:[|>][+-]?[ \t]{0,40})?\r?\n[ \t]{0,80}"
    r"(?![\w.\"'/-]{1,80}[ \t]{0,40}[:=]|-[ \t]|[#\[\]{};}<]|[ \t\r]*$)\S",
    re.IGNORECASE | re.MULTILINE,
)
# The same for what stands before the name as well: an element of XML; a name and a value beside each other; a
# directive and its value, but for those of PAM; an option of a command line.
_AROUND = (
    (
        _BY_NAME,
        re.compile(r"<[\w:.-]{0,40}\Z"),
        re.compile(r"[\w:.-]{0,40}(?:\s[^<>]{0,200})?>\s{0,40}[^<\s$]"),
    ),
    (
        _BY_NAME,
        re.compile(
            r"\b(?:name|key|id|property|setting|option)[\"']?\s{0,9}[:=]\s{0,9}[\"']?[\w.:-]{0,60}\Z",
            re.IGNORECASE,
        ),
        re.compile(
            r"[\w.:-]{0,60}[\"']?\s{0,40},?\s{0,40}[\"']?value[\"']?\s{0,9}[:=]\s{0,9}[\"']?[^\s\"'$]",
            re.IGNORECASE,
        ),
    ),
    (
        _BY_NAME,
        re.compile(r"(?:\A|\n)[ \t]{0,40}(?:enable[ \t]{1,9}|[\w.-]{0,40})\Z", re.IGNORECASE),
        re.compile(
            rf"[ \t]{{1,40}}(?!required|requisite|sufficient|optional|include|substack|{_NONE}|[=:\[-]|/|[0-9]{{1,9}}[.:][0-9])"
            r"\S{1,200}[ \t]{0,40}(?:[0-9A-F]{4,200}[ \t]{0,40})?\r?$",
            re.MULTILINE,
        ),
    ),
    (
        _ON_COMMAND_LINE,
        re.compile(r"(?:\A|[\s\"'])--?[\w-]{0,40}\Z"),
        re.compile(
            r"[\w-]{0,40}[ =](?!-|(?:yes|no|true|false)\b|/[\w./-]{1,200}(?:\s|$))[\"']?\S", re.IGNORECASE
        ),
    ),
)
_LONGEST_AROUND = 120


def secret_in(text: str) -> str:
    """What in a text looks like a secret ("a private key"), or an empty string."""
    return _look_in(text, _LOOKS) or next(
        filter(None, (_secret_named(text, name) for name in _NAME.finditer(text))), ""
    )


def certain_secret_in(text: str) -> str:
    """The same, but only what is a secret by a form that leaves little doubt, such as a private key."""
    return _look_in(text, _CERTAIN)


def _look_in(text: str, looks: Iterable[_Look]) -> str:
    small = text.lower()
    for look in looks:
        if (not look.hints or any(hint in small for hint in look.hints)) and look.pattern.search(text):
            return look.what
    return ""


def _secret_named(text: str, name: re.Match[str]) -> str:
    """What the value is that stands with a name; empty where none does, or it is harmless."""
    if not _is_name(text, name):
        return ""
    if _VALUE.match(text, name.end()):
        return _BY_NAME
    before = text[max(0, name.start() - _LONGEST_AROUND) : name.start()]
    for what, begins, goes_on in _AROUND:
        if goes_on.match(text, name.end()) and begins.search(before):
            return what
    return ""


def _is_name(text: str, name: re.Match[str]) -> bool:
    word = name.group()
    before = text[max(0, name.start() - _LONGEST_BEFORE) : name.start()]
    if word.lower() == "key":
        return _BEFORE_KEY.search(before) is not None
    if word.lower() not in _SHORT:
        return True
    after = text[name.end() : name.end() + 1]
    begins = (
        not before[-1:].isalpha()
        or (before[-1].islower() and word[0].isupper())
        or bool(_BEFORE_SHORT.search(before))
    )
    ends = not after.isalpha() or (after.isupper() and word[-1].islower())
    return begins and ends


def secret_in_value(value: Any, name: str = "") -> str:
    """The same for a plain value, and for each text in one.

    :param name: what the value is called, where that tells that it is a secret
    """
    texts = list(_texts(value))
    if name and any(is_secret_of_name(name, text) for text in texts):
        return _BY_NAME
    named = [f"{name}={text}" for text in texts] if name else []
    return next(filter(None, map(secret_in, (*texts, *named))), "")


def without_secret(text: str) -> str:
    """The text itself, or words in its place where something in it looks like a secret."""
    what = secret_in(text)
    return in_place_of(what) if what else text


def in_place_of(what: str) -> str:
    """The words that stand in the place of a text in which `what` was found."""
    return f"(not shown: it may hold a secret, {what})"


def values_without_secrets(value: Any) -> Any:
    """A copy of plain JSON values, with words in the place of each text in which something looks like a secret."""
    if isinstance(value, str):
        return without_secret(value)
    if isinstance(value, Mapping):
        return {name: values_without_secrets(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [values_without_secrets(item) for item in value]
    return value


def _texts(value: Any) -> Iterator[str]:
    """The texts in a value: each, and those of a list of texts also as one, since a secret may stand behind its name.
    Likewise a mapping as it is shown."""
    if isinstance(value, bytes):
        yield value.decode("utf-8", "surrogateescape")
    elif isinstance(value, str):
        yield value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Mapping):
        yield str(value)
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        if len(value) > 1 and all(isinstance(item, str) for item in value):
            for between in (" ", "\n", ":"):
                yield between.join(value)
        for item in value:
            yield from _texts(item)
