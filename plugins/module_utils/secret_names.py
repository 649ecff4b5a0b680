# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names of variables and settings are those of secrets, and which values are none whatever they are called.

A name is read as words, in whatever way it joins them (DB_PASSWORD, dbPassword, db-password, dbpassword). It is the name
of a secret when one of its words is (password), or two of them together (api key). It is not, when what stands behind
that says that it is about the secret and not the secret itself: a length, a name, a folder (PASSWORD_MIN_LENGTH).
"""

from __future__ import annotations

import functools
import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Capitals that belong together (API in APIToken), a word, or digits.
_WORDS = re.compile(r"[A-Z]+(?![a-zß-ÿ])|[A-Z]?[a-zß-ÿ]+|[0-9]+|[^\W\d_A-Za-zß-ÿ]+")
_LONGEST = 200
_LONGEST_VALUE = 2000

# Secrets wherever they stand in the name, also as the end of a longer word (pgpassword, authtoken).
_ANYWHERE = re.compile(
    r".*(?:password|passwd|passphrase|passcode|passwort|kennwort|wachtwoord|passord|contrasena|contraseña|salasana|"
    r"lösenord|losenord|motdepasse|пароль|密码|パスワード|secret|credential|token|"
    r"(?:api|access|account|auth|client|encryption|encrypt|license|licence|master|private|secret|service|session|shared|"
    r"sign|signing|ssh|storage)key)s?"
)
# The ends of longer words that stand for a secret alone, but for the words that only look so.
_SHORT_ENDS = re.compile(
    r"(?!.*(?:ask|by|com|encom|over|sur|tres|under)pass$)[a-z]{2,}(?:pass|pwd)|(?:admin|bind|db|root|user)pw"
)
# Secrets only where no further word stands behind them (AUTH is one, AUTH_TYPE and AUTH_BACKENDS are none).
_AT_THE_END = _words(
    "pass pwd pw psk salt jwt bearer auth cred creds mdp pat senha haslo heslo parola sas cookie"
)
# What makes `key` the name of a secret.
_BEFORE_KEY = _words(
    "access account admin aes api app auth client consumer cookie crypt crypto csrf data decryption deploy encrypt "
    "encryption fernet function hmac integration jwt licence license master private recovery root secrets security "
    "seed service session shared sign signing ssh storage subscription symmetric unseal vapid webhook write"
)
# What makes it something else, directly before it; with any other word there, a value that looks random is a secret.
_OTHER_KEYS = _words(
    "cache config foreign hash host idempotency label object partition primary public publishable range routing s shard "
    "site sort"
)
_KEYS_OF_EVERYBODY = frozenset(("gpg", "pgp"))
# A cookie is a secret only where it is the one by which nodes of a cluster trust each other.
_BEFORE_COOKIE = frozenset(("erlang", "release", "cluster", "node"))
# Words that turn a key or a token into something that everybody can know, where they stand at it (a public cloud's token is
# a secret), and the frameworks that give to the browser what their names and `public` begin.
_PUBLIC = frozenset(("public", "publishable"))
_CAN_BE_PUBLIC = re.compile(r".*(?:key|token)s?")
_NEVER_PUBLIC = frozenset(("private", "master", "root"))
_OF_BROWSERS = frozenset(("expo", "next", "nuxt"))
# Words behind a secret that only say which one it is.
_WHICH = _words(
    "a b b64 base base64 backup current data default dev hash hex new next old plain plaintext previous primary prod "
    "production raw secondary staging str string test text value"
)
# Words that say that something about a secret is meant.
_ABOUT = _words(
    "addr address age alg algo algorithm allow allowed annotation arn attempts aud audience authentication authority "
    "backend backends broker bucket budget cache cert change chars charset class cmd command complexity config configmap "
    "controller cost count counter cycle day days debug decimals dir directories directory disable disabled domain driver "
    "duration email enable enabled encoding encryption endpoint engine env exp expiration expire expires expiry extractor "
    "field file filename filepath filter fingerprint flag folder format generator grace grant group hasher hashers header "
    "headers helper hint history host hostname hour hours id ids injector interval iss issuer iterations kind label language "
    "leeway len length level life lifespan lifetime limit limiter list location log manager mapper max method min minute minutes "
    "mode mount mountpoint name names namespace notify operator parameter path paths pattern per period permission "
    "permissions plugin policies policy port ports prefix prompt protocol provider providers ref reference regex regexp "
    "region registry renewal require required reset resource retries retry reuse review role rotate rotation rounds rule "
    "rules scheme scope scopes script second seconds selector separator server size sock source state status storage store "
    "strategy strength suffix symbol template through thru time timeout title topic ttl type types uri url urls user "
    "username validation validator validators validity variable verification verifier version volume warning window zone"
)
# Those of them that say whose secret it is where a number or a further word stands behind them (PASSWORD_USER1).
_WHOSE = _words("broker cache domain email group host registry region role server user zone")
# Words before a secret that say the same: the first ones where the name begins with them or one word is between; numbers at
# the secret, or before several; the others do so only where the name begins with them.
_ASKS = _words("allow disable enable enabled generate require requires")
_NUMBERS = _words("avg max maximum min minimum num total")
_ASKS_FIRST = _words("has hide ignore is rotate show skip use uses without")
# Names that everybody uses for something else: the working directory, and a file's path.
_OTHERS = frozenset(("pwd", "oldpwd", "googleapplicationcredentials", "awssharedcredentials"))


# A place that begins with one of these is a path, also where it has no further part.
_ROOTS = (
    "app|certs?|config|credentials?|data|dev|etc|home|keys?|mnt|opt|pki|proc|root|run|secrets?|srv|ssl|sys|tls|tmp|tokens?|"
    "usr|var|vault"
)
# The capitals of a variable's name.
_CAPITALS = r"(?-i:[A-Z_][A-Z0-9_]*)"
# What stands in the place of $( where a reference leads nowhere, and so is text (literal_secrets.py).
LEADS_NOWHERE = "\ufffa("
# Values that say that there is no secret, or where it is: a word for yes or no, a path, an address, a place to fill in, a
# reference to a store of secrets, a text that is encrypted, a key that everybody can know. Each in its whole form: a password
# can begin like any of them.
_NOTHING = re.compile(
    r"\s*(?:true|false|yes|no|on|off|y|n|0|1|enabled?|disabled?|none|null|nil|undefined|\*+|"
    r"\$\{[^}]*\}|\{\{.*\}\}|\$" + _CAPITALS + r"|<[^<>]*>|%" + _CAPITALS + r"%|%\(\w+\)s|"
    r"(?:file:)?(?:~|\.{1,2}|/[\w.@+-]+)(?:/+[\w.@+-]+)+/*|"
    r"(?:file:)?/(?:(?:" + _ROOTS + r")/*|[\w.@+-]*\.[a-z][a-z0-9]{0,9})|"
    r"[a-z]:[\\/](?:(?:[^\\/\r\n]+[\\/]+)+[^\\/\r\n]*|[^\\/\s]+\.[a-z][a-z0-9]{0,9})|"
    r"[a-z][a-z0-9+.-]*://(?:[\w.-]*:@)?(?:localhost|[^\s@/.:]+[.:/][^\s@]+|/[^\s@]+)|"
    r"vault:[^\s/]+/\S+|secretref:[a-z0-9][a-z0-9.-]*|env:(?://)?" + _CAPITALS + r"|ssm:/+[^\s/]+/\S+|"
    r"arn:aws[a-z-]*:[^\s:]+:\S+|keyvault:[^\s/]+/\S+|projects/[^\s/]+/secrets/\S+|ref\+[a-z0-9]+://\S+|"
    r"enc\[[A-Z0-9_]+,\S+\]|enc\([A-Za-z0-9+/=]{16,}\)|@microsoft\.keyvault\((?:secreturi|vaultname)=.*\)|"
    r"(?:\ufffa\([^)]*\))+|(?:basic|bearer)\s|(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-\S+) AAAA\S+.*|"
    r"-----BEGIN (?:[A-Z0-9]+ )*(?:CERTIFICATE|PUBLIC KEY)(?: BLOCK)?-----.*)?\s*",
    re.IGNORECASE | re.DOTALL,
)
# Of names that say no more than `auth`: the kinds of authentication.
_KINDS_OF_ACCESS = re.compile(
    r"anonymous|basic|bearer|cert(?:ificate)?s?|database|digest|external|form|github|gitlab|google|gssapi|header|iam|internal|"
    r"jwt|kerberos|keycloak|ldaps?|local|md5|mtls|negotiate|ntlm|oauth2?|oidc|openid|optional|pam|password|peer|plain|proxy|"
    r"radius|required|saml|sasl|sasl_(?:ssl|plaintext)|scram(?:-sha-?(?:1|256|512))?|session|simple|ssl|sso|tls|token|trust|"
    r"userpass|x509|xoauth2",
    re.IGNORECASE,
)
# At least 16 letters and digits, with both among them.
_RANDOM = re.compile(r"(?=[^0-9]{0,200}[0-9])(?=[^A-Za-z]{0,200}[A-Za-z])[A-Za-z0-9+/_-]{16,200}={0,2}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@functools.lru_cache(maxsize=4096)
def names_a_secret(name: str) -> bool:
    """Whether a variable of that name is likely to hold a secret."""
    words = words_of(name)
    end = _end_of_secret(words)
    if end is None or "".join(words) in _OTHERS or _is_public(words, end):
        return False
    return not (_is_asked_for(words, end) or _is_about(words[end:]))


def is_secret_of_name(name: str, value: str) -> bool:
    """Whether a value is a secret because of what it is called: the name is that of a secret, and the value could be one."""
    words = words_of(name)
    if words[-1:] == ["key"] and _is_some_key(words) and _RANDOM.fullmatch(value.strip()):
        return True
    if not names_a_secret(name):
        # one half of a login of Vault; elsewhere the name of a secret
        return words[-2:] == ["secret", "id"] and _UUID.fullmatch(value.strip()) is not None
    last = [word for word in words if not word.isdigit()][-1]
    if last in ("auth", "sas", "bearer", "jwt", "pat") and _KINDS_OF_ACCESS.fullmatch(value.strip()):
        return False
    if last in ("tokens", "secrets", "passwords") and value.strip().isdigit():
        return False
    return _NOTHING.fullmatch(value[:_LONGEST_VALUE]) is None


def words_of(name: str) -> list[str]:
    """The words of a name in small letters; digits are words of their own."""
    text = name[:_LONGEST].replace("OAuth", "Oauth")
    words = [word.lower() for word in _WORDS.findall(text)]
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == "pass" and word in ("word", "words", "wd", "phrase", "code"):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _is_some_key(words: list[str]) -> bool:
    before = [word for word in words[:-1] if not word.isdigit()]
    is_other = bool(_OTHER_KEYS & set(before[-1:]) or _KEYS_OF_EVERYBODY & set(before))
    return bool(before) and not is_other and not _is_public(words, len(words))


def _is_public(words: list[str], end: int) -> bool:
    """Whether the secret, of which `end` is the end, is a key or a token that everybody can know."""
    between = words[end - 2] if end > 1 else ""
    if (
        not _CAN_BE_PUBLIC.fullmatch(words[end - 1])
        or between in _NEVER_PUBLIC
        or _is_word_of_secret(between)
    ):
        return False
    first = max(end - 3 if between in _BEFORE_KEY else end - 2, 0)
    near = words[first : end - 1] + words[end : end + 1]
    return bool(_PUBLIC & set(near)) or (words[0] in _OF_BROWSERS and words[1:2] == ["public"])


def _is_asked_for(words: list[str], end: int) -> bool:
    """Whether the words before the secret say that the value is a number, a yes or a no, or the name of a Secret."""
    secret, near = words[end - 1], words[max(end - 3, 0) : end - 1]
    numbers = words[: end - 1] if secret.endswith("s") else near[-1:]
    return bool(
        _ASKS & {words[0], *near}
        or _NUMBERS & set(numbers)
        or words[0] in _ASKS_FIRST
        or (near[-1:] == ["pull"] and secret in ("secret", "secrets"))
    )


def _is_about(behind: list[str]) -> bool:
    """Whether the words behind a secret say that something about it is meant."""
    return any(
        word in _ABOUT and (word not in _WHOSE or behind[at:] == [word]) for at, word in enumerate(behind)
    )


def _is_word_of_secret(word: str) -> bool:
    return _ANYWHERE.fullmatch(word) is not None


def _end_of_secret(words: list[str]) -> int | None:
    """The number of words up to the end of the last one that is a secret; None where none is."""
    ends = [number for number in range(1, len(words) + 1) if _ends_a_secret(words, number)]
    return ends[-1] if ends else None


def _ends_a_secret(words: list[str], end: int) -> bool:
    word, before = words[end - 1], words[end - 2] if end > 1 else ""
    if _is_word_of_secret(word):
        return True
    if word in ("key", "keys"):
        return before in _BEFORE_KEY or _is_word_of_secret(before)
    if any(not (later in _WHICH or later.isdigit()) for later in words[end:]):
        return False
    if word == "cookie":
        return before in _BEFORE_COOKIE
    return word in _AT_THE_END or _SHORT_ENDS.fullmatch(word) is not None
