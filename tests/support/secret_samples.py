# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts with a secret as programs, their files and their command lines have them. None is a real credential.

Tokens are put together here, so that scanners of source code find none in this file.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """A text with a secret in it; no file of a run is allowed to hold `secret`."""

    text: str
    secret: str


def _sample(before: str, secret: str, after: str = "") -> Sample:
    return Sample(before + secret + after, secret)


_HEX = "0123456789abcdef0123456789abcdef"
_LONG = "4eC39HqLyjWDarjtT1zdp7dcXq8vN2"

# Of the kinds that an attack on kept facts tried.
ATTACKED = (
    _sample("password=", "hunter2hunter"),
    _sample("db_password=", "4815162342108"),
    _sample('{"password": "', "7215834906", '"}'),
    _sample("<password>", "xS3cr3tXml", "</password>"),
    _sample("password:\n  ", "S3cr3tNextLine"),
    _sample("pwd=", "S3cr3tPwd"),
    _sample("pass=", "S3cr3tPass"),
    _sample("pw=", "S3cr3tPw"),
    _sample("Server=db;Database=x;User Id=sa;Pwd=", "S3cr3tAdo", ";"),
    _sample("requirepass ", "S3cr3tRedis"),
    _sample("machine example.org login bob password ", "S3cr3tNetrc"),
    _sample("db.example.org:5432:shop:bob:", "S3cr3tPgpass"),
    _sample('{"auths": {"registry.example.org": {"auth": "', "Ym9iOlMzY3IzdERvY2tlcg==", '"}}}'),
    _sample("bob:", "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="),
    _sample("bob:", "rqXexS6ZhobKA"),
    _sample("mysql -u root -p", "S3cr3tMysql"),
    _sample("mysqld -p", "S3cr3tMysqld"),
    _sample("curl -u bob:", "S3cr3tCurl", " https://example.org"),
    _sample("sshpass -p ", "S3cr3tSsh", " ssh bob@host"),
    _sample("redis-cli -a ", "S3cr3tCli", " ping"),
    _sample("app --pass ", "S3cr3tOption"),
    _sample("app --pwd ", "S3cr3tShort"),
    _sample("sk_live_", _LONG),
    _sample("AIza", "SyD" + _LONG + "ab"),
    _sample("SG.", "ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf09kqeF8tAmbihYzrnopKc1s5cr"),
    _sample("npm_", _LONG + "abcdef"),
    _sample("hvs.", "CAESI" + _LONG),
    _sample("DefaultEndpointsProtocol=https;AccountName=x;AccountKey=", "a1B2c3D4e5F6g7H8==", ";"),
    _sample("https://x.blob.core.windows.net/c?sv=2022&sig=", "a1B2c3D4e5F6g7H8i9J0%3D"),
    _sample("https://hooks.slack.com/services/", "T00000000/B00000000/XXXXsecretXXXX"),
    _sample("SIGNING_KEY=", "S3cr3tSigning"),
    _sample("ENCRYPTION_KEY=", "S3cr3tEncryption"),
    _sample("Authorization: Token ", "9944b09199c62bcf9418ad846dd0e4bb"),
    _sample("Cookie: sid=", "S3cr3tCookie"),
    _sample("Set-Cookie: JSESSIONID=", "S3cr3tSession", "; HttpOnly"),
    _sample("PuTTY-User-Key-File-2: ssh-rsa\nPrivate-Lines: 1\n", "AAAAgQCa1b2c3"),
    _sample("psk=", "S3cr3tWifi"),
    _sample("password=", "$ecretDollar"),
    _sample("Kennwort=", "S3cr3tDeutsch"),
    _sample("-----BEGIN OPENSSH PRIVATE KEY-----\n", "b3BlbnNzaC1rZXktdjEAAAAA"),
    _sample("", "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJrdWJlcm5ldGVz.c2ln"),
    _sample("key ", "AKIA" + "IOSFODNN7EXAMPLE"),
    _sample("ghp_", _LONG),
    _sample("glpat-", _LONG[:20]),
    _sample("xoxb-", "123456789012-" + _LONG[:12]),
    _sample("root:", "$6$salt$hashhashhash", ":19000:0:99999:7:::"),
    _sample("", "$2y$10$abcdefghijklmnopqrstuv"),
    _sample("DSN=postgres://user:", "S3cr3tDsn", "@db/x"),
    _sample("Authorization: Bearer ", "abcdefghijklmnop"),
    _sample("client_secret = '", "x yS3cr3t", "'"),
    _sample('{"apiKey": "', "0123abcS3cr3t", '"}'),
    _sample("[client]\npasswd=", "S3cr3tClient"),
    _sample("DB_PASS=", "S3cr3tDbPass"),
    _sample("smtpPass: ", "S3cr3tSmtp"),
    _sample("mysqld --password ", "S3cr3tLong"),
    _sample("app -token ", "S3cr3tToken"),
    _sample("x --api-key=", "S3cr3tKey"),
    _sample('<add key="DbPassword" value="', "S3cr3tConfig", '"/>'),
    _sample('secret => "', "S3cr3tArrow", '"'),
    _sample("passphrase: ", "S3cr3tPhrase"),
    _sample("aws_secret_access_key = ", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYab"),
    _sample("X-Api-Key: ", "S3cr3tHeader"),
)

# Of our own.
OURS = (
    _sample("github_pat_", _LONG + "_" + _LONG),
    _sample("gldt-", _LONG[:20]),
    _sample("rk_test_", _LONG),
    _sample("whsec_", _LONG),
    _sample("ya29.", "a0AfH6SM" + _LONG),
    _sample("pypi-", "AgEIcHlwaS5vcmc" + _LONG),
    _sample("dop_v1_", _HEX + _HEX),
    _sample("sk-proj-", _LONG),
    _sample("shpat_", _HEX),
    _sample("sq0atp-", _LONG[:22]),
    _sample("dapi", _HEX),
    _sample("glsa_", _LONG + "_1234abcd"),
    _sample("dckr_pat_", _LONG),
    _sample("hf_", "abcdefghijklmnopqrstuvwxyz"),
    _sample("xapp-", "1-A0123456789-" + _LONG[:12]),
    _sample("123456789:", "AAE" + _LONG + "xyz12"),
    _sample("https://discord.com/api/webhooks/", "123456/abcDEFghi"),
    _sample("https://example.org/f?X-Amz-Signature=", _HEX + _HEX),
    _sample("wJalr", "XUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYab"),
    _sample("AGE-SECRET-KEY-1", "QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGP"),
    _sample('{"kty": "oct", "k": "', "AyM1SysPpbyDfgZld3umj1qzKObwVMko", '"}'),
    _sample("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n", "lQOYBF0a1b2c"),
    _sample("userPassword: ", "{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr"),
    _sample("bob:$apr1$", "lZL6V/ci$eIMz/iKDkbtys/uU7LEK00"),
    _sample("SCRAM-SHA-256$4096:", "c2FsdHNhbHQ=$a2V5a2V5"),
    _sample("md5", _HEX),
    _sample("*", "6BB4837EB74329105EE4568DDA7DC67ED2CA2AD9"),
    _sample("Administrator:500:" + "aad3b435b51404eeaad3b435b51404ee:", _HEX, ":::"),
    _sample("bob:Private Area:", _HEX),
    _sample("pbkdf2_sha256$260000$", "abcS3cr3t$defdef="),
    _sample("redis://:", "S3cr3t/Slash", "@cache:6379/0"),
    _sample("bob:", "S3cr3tGo", "@tcp(db:3306)/shop"),
    _sample("bob/", "S3cr3tOracle", "@//db.example.org:1521/shop"),
    _sample("jdbc:mysql://db/x?user=bob&password=", "S3cr3tJdbc"),
    _sample("Proxy-Authorization: Basic ", "Ym9iOlMzY3IzdFByb3h5"),
    _sample("X-Auth-Token: ", "S3cr3tAuth"),
    _sample("sessionid=", "38afes7a8S3cr3t"),
    _sample("masterauth ", "S3cr3tMaster"),
    _sample("rootpw ", "S3cr3tLdap"),
    _sample("bindpw=", "S3cr3tBind"),
    _sample("enable secret ", "S3cr3tCisco"),
    _sample("mot_de_passe=", "S3cr3tFrancais"),
    _sample("contraseña: ", "S3cr3tEspanol"),
    _sample("пароль=", "S3cr3tRusskij"),
    _sample("token: |\n  ", "S3cr3tBlock"),
    _sample("- name: DB_PASSWORD\n  value: ", "S3cr3tYamlPair"),
    _sample('{"name": "API_TOKEN", "value": "', "S3cr3tJsonPair", '"}'),
    _sample('<property name="hibernate.connection.password" value="', "S3cr3tSpring", '"/>'),
    _sample("ldapsearch -D cn=admin -w ", "S3cr3tSearch"),
    _sample("openssl rsa -passin pass:", "S3cr3tOpenssl"),
    _sample("smbclient //host/share -U bob%", "S3cr3tSamba"),
    _sample("docker login -u bob -p ", "S3cr3tLogin"),
    _sample("htpasswd -bc /f bob ", "S3cr3tHt"),
    _sample("rabbitmqctl add_user bob ", "S3cr3tRabbit"),
    _sample("keytool -storepass ", "S3cr3tStore"),
    _sample("ipmitool -H h -U a -P ", "S3cr3tIpmi"),
    _sample("echo bob:", "S3cr3tChpasswd", " | chpasswd"),
    _sample("CREATE USER bob IDENTIFIED BY '", "S3cr3tSql", "'"),
    _sample("7z a -p", "S3cr3tZip", " x.7z y"),
    _sample("wireguard PrivateKey = ", "yAnz5TFlXXJte14tji3zlMNqhdS8pQ2rT7="),
)
SAMPLES = (*ATTACKED, *OURS)
