# Copyright (c) 2026 securescan.kubernetes contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables are secrets: tables of names and values, as workloads have them."""

from __future__ import annotations

import base64
import time

import pytest
from ansible_collections.securescan.kubernetes.plugins.module_utils.literal_secrets import (
    KEPT_NO_SECRET,
    KEPT_SECRET,
    NOT_KEPT,
    literal_secrets,
)
from ansible_collections.securescan.kubernetes.plugins.module_utils.secret_names import names_a_secret
from ansible_collections.securescan.kubernetes.plugins.module_utils.secret_texts import secret_in_value
from ansible_collections.securescan.kubernetes.plugins.module_utils.secret_variables import is_secret


def words_in(text: str) -> list[str]:
    return text.split()


NAMES_OF_SECRETS = words_in(
    """
    PASSWORD DB_PASSWORD dbPassword DBPassword db-password db.password DBPASSWORD PGPASSWORD PassWord password1 PASSWORD_2
    MYSQL_PWD MYSQLPWD ADMIN_PWD LDAP_BIND_PW rootpw DB_PASS DBPASS KEYSTORE_PASS SMTP_PASSWD SSH_PASSPHRASE PASS PWD_NEW
    POSTGRES_PASSWORD MONGO_INITDB_ROOT_PASSWORD SPRING_DATASOURCE_PASSWORD spring.datasource.password
    GF_SECURITY_ADMIN_PASSWORD NO_REPLY_SMTP_PASSWORD DJANGO_SUPERUSER_PASSWORD SASL_PASSWORD PASSWORD_HASH SECRET
    CLIENT_SECRET clientSecret OAUTH2_PROXY_COOKIE_SECRET SECRET_KEY SECRET_KEY_BASE AWS_SECRET_ACCESS_KEY jwtSecret
    AZURE_CLIENT_SECRET webhook-secret TOKEN API_TOKEN apiToken APIToken accessToken ACCESSTOKEN NPM_TOKEN SLACK_BOT_TOKEN
    HF_TOKEN TWILIO_AUTH_TOKEN TOKEN_GITHUB VERIFY_TOKEN OAuthToken refresh_token API_KEY apikey api-key x.api.key APIKEYS
    STORAGE_ACCOUNT_KEY ARM_ACCESS_KEY DD_APP_KEY NEW_RELIC_LICENSE_KEY MAXMIND_LICENSE_KEY RAILS_MASTER_KEY
    AIRFLOW__CORE__FERNET_KEY ENCRYPTION_KEY signingKey WORDPRESS_AUTH_KEY COSMOS_ACCOUNT_KEY OCP_APIM_SUBSCRIPTION_KEY
    PRIVATE_KEY sshPrivateKey GOOGLE_CREDENTIALS AWS_CREDENTIALS PROXY_CREDS credentials JWT SESSION_JWT BEARER REDIS_AUTH
    BASIC_AUTH npm_config__auth SECURE_AUTH_SALT WIFI_PSK ERLANG_COOKIE RABBITMQ_ERLANG_COOKIE RELEASE_COOKIE SENHA MDP
    KENNWORT OVH_PUBLIC_CLOUD_PASSWORD PUBLIC_API_SECRET PUBLIC_CLOUD_API_KEY PUBLIC_SECRET_KEY PUBLIC_CLOUD_TOKEN
    FINGERPRINT_API_KEY DB_PASSWORD_USER1 DB_PASSWORD_HOST_2 API_KEY_REGION_EU maxMindLicenseKey MinIOSecretKey
    GITHUB_PULL_REQUEST_TOKEN PULL_TOKEN
    """
)

NAMES_OF_OTHERS = words_in(
    """
    PASSWORD_MIN_LENGTH PASSWORD_MAX_AGE PASSWORD_POLICY PASSWORD_FILE PASSWORD_FILENAME passwordFile POSTGRES_PASSWORD_FILE
    PASSWORD_RESET_URL PASSWORD_REQUIRED REQUIRE_PASSWORD PASSWORD_ENCODING PASSWORD_HASH_ALGORITHM ALLOW_EMPTY_PASSWORD
    MYSQL_ALLOW_EMPTY_PASSWORD PASS_MAX_DAYS PASS_THROUGH PASSTHROUGH PASSENGER_APP_ENV COMPASS PROXY_BYPASS PWD OLDPWD
    SECRET_NAME secretName SECRETS_FOLDER SECRETS_DIR SECRET_PATH SECRET_ARN SECRET_VERSION SECRET_NAMESPACE SECRET_STORE
    SECRETS_MANAGER SECRETS_SERVICE_HOST SECRETS_PORT_443_TCP_PROTO SECRETARY SECRET_ID TOKEN_TTL tokenTtl TOKEN_URL
    TOKEN_ENDPOINT TOKEN_HEADER TOKEN_LIFETIME TOKEN_ISSUER TOKEN_ROTATION_DAYS MAX_TOKENS LLM_MAX_TOKENS TOKENS_PER_MINUTE
    TOKENIZERS_PARALLELISM TOKENIZER_PATH ACCESS_TOKEN_EXPIRE_MINUTES ENABLE_TOKEN_AUTH AWS_WEB_IDENTITY_TOKEN_FILE
    TOKEN_SERVICE_PORT_8080_TCP JWT_ISSUER JWT_ALGORITHM JWT_AUDIENCE JWT_EXPIRATION JWT_PUBLIC_KEY AUTH_TYPE AUTH_ENABLED
    AUTH_METHOD POSTGRES_HOST_AUTH_METHOD SSH_AUTH_SOCK XAUTHORITY AUTHOR AUTHORITY AUTHENTICATION_BACKENDS BASIC_AUTH_USER
    MONGO_AUTH_SOURCE KEY KEY_ID AWS_ACCESS_KEY_ID PUBLIC_KEY SSH_PUBLIC_KEY STRIPE_PUBLISHABLE_KEY NEXT_PUBLIC_API_KEY
    RECAPTCHA_SITE_KEY GPG_KEY GPG_KEYS PRIMARY_KEY PARTITION_KEY CACHE_KEY ROUTING_KEY KEY_PREFIX API_KEY_HEADER API_KEY_NAME
    AUTHORIZED_KEYS KEY_VAULT_NAME KEYSTORE_PATH MONKEY HOTKEY KEYBOARD CREDENTIALS_FILE CREDENTIALS_PROVIDER
    GOOGLE_APPLICATION_CREDENTIALS SESSION_COOKIE_NAME COOKIE_DOMAIN OTP_VERSION DB_USERNAME USER HOSTNAME PATH LANG
    NEXT_PUBLIC_MAPBOX_ACCESS_TOKEN MAPBOX_PUBLIC_TOKEN SSH_KEY_PUBLIC API_KEY_FINGERPRINT PASSWORD_USER MAX_OUTPUT_TOKENS
    MIN_PASSWORD IMAGE_PULL_SECRETS ENABLE_CLIENT_SECRET
    """
)

PEM = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"
SECRETS = [
    ("GOOGLE_CREDENTIALS", "{}"),
    ("AZURE_OPENAI_KEY", "0123456789abcdef0123456789abcdef"),
    ("GITHUB_PAT", "hunter2"),
    ("DB_PASSWORD", "1234"),
    ("DB_PASSWORD", "changeme"),
    ("REDIS_AUTH", "hunter2"),
    ("API_KEY", "x"),
    ("SECRET_KEY", "/abc+def/ghi=="),
    ("VAULT_SECRET_ID", "f4f0c1b6-6f1c-4a0c-9e7b-2f3f0d1f9a11"),
    ("OVH_PUBLIC_CLOUD_KEY", "0123456789abcdef0123456789abcdef"),
    *(
        ("DB_PASSWORD", value)
        for value in (
            "$ecret123",
            "$HUNTERs2",
            "%hunter2%",
            "/hunter2Secret",
            "/hunter2/",
            "file:/hunter2",
            "env:hunter2",
            "enc:hunter2",
            "enc[hunter2",
            "enc(hunter2)",
            "op:hunter2",
            "ssm:hunter2",
            "arn:hunter2",
            "vault:hunter2",
            "keyvault:hunter2",
            "projects/hunter2",
            "ref+hunter2",
            "ftp://hunter2",
            "ftp://hunter2/",
            "c:/hunter2 long password",
            "c:\\hunter2",
            "Bearer",
        )
    ),
    *(
        ("X", value)
        for value in (
            "postgres://u:$ecret9@db/x",
            "postgres://u:/hunter2Secret@db/x",
            PEM,
            PEM.replace("PRIVATE", "RSA PRIVATE"),
            PEM.replace("PRIVATE", "OPENSSH PRIVATE"),
            base64.b64encode(PEM.encode()).decode(),
            JWT,
            "eyJhbGciOiJSUzI1NiJ9",
            "Bearer " + JWT,
            "bearer abcdefghijkl0123",
            "Basic " + base64.b64encode(b"shop:hunter2").decode(),
            "postgres://shop:hunter2@db/shop",
            "postgresql+psycopg2://shop:p%40ss@db:5432/shop?sslmode=require",
            "redis://:hunter2@cache:6379/0",
            "amqp://shop:hunter2@mq//",
            "mongodb+srv://shop:hunter2@a.example.net,b.example.net/shop",
            "https://oauth2:hunter2@git.example.org/x.git",
            "shop:hunter2@tcp(db:3306)/shop",
            "jdbc:oracle:thin:shop/hunter2@db:1521/x",
            "jdbc:mysql://db/shop?user=shop&password=hunter2",
            "Server=db;Database=shop;User Id=shop;Password=hunter2;",
            "Server=tcp:db;Uid=shop;Pwd=hunter2;",
            'org.apache.kafka.common.security.plain.PlainLoginModule required username=u password="hunter2";',
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=aGVsbG8=;EndpointSuffix=core.windows.net",
            "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=x;SharedAccessKey=aGVsbG8=",
            "-Xmx1g -Djavax.net.ssl.trustStorePassword=changeit",
            '{"auths": {"registry": {"auth": "c2hvcDpodW50ZXIy"}}}',
            '{"username": "shop", "password": "hunter2"}',
            "user: shop\npassword: hunter2\n",
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "ghp_0123456789abcdefghijABCDEFGHIJ012345",
            "github_pat_11AAAAAAA0123456789abcdef",
            "glpat-0123456789abcdefghij",
            "xoxb-123456789012-abcdefghijkl",
            "sk_live_0123456789abcdef",
            "https://hooks.slack.com/services/T0/B0/abc",
            "https://a.blob.core.windows.net/c?sv=1&sig=abcdefgh1234",
            "$2y$10$abcdefghijklmnopqrstuv",
        )
    ),
]
OTHERS = [
    ("PASSWORD_MIN_LENGTH", "12"),
    ("SECRET_NAME", "shop-db"),
    ("SECRETS_FOLDER", "/run/secrets"),
    ("PASSWORD_FILENAME", "db"),
    ("DB_PASSWORD", ""),
    ("DB_PASSWORD", "/run/secrets/db"),
    ("DB_PASSWORD", "file:/run/secrets/db"),
    ("DB_PASSWORD", "${DB_PASSWORD}"),
    ("DB_PASSWORD", "{{ db_password }}"),
    ("DB_PASSWORD", "vault:secret/data/db#password"),
    ("DB_PASSWORD", "arn:aws:secretsmanager:eu-west-1:1:secret:db"),
    ("DB_PASSWORD", "ENC[AES256_GCM,data:abc]"),
    *(
        ("DB_PASSWORD", value)
        for value in (
            "$DB_PASSWORD",
            "%DB_PASSWORD%",
            "/secrets",
            "/vault/",
            "/key.json",
            "/.pgpass",
            "~/.pgpass",
            "./secrets/db",
            "C:\\ProgramData\\shop\\db password",
            "c:/key.pem",
            "env:DB_PASSWORD",
            "op://shop/db/password",
            "ssm:/prod/db",
            "secretref:db-password",
            "ref+vault://secret/db#/password",
            "projects/shop/secrets/db/versions/1",
            "ENC(aGVsbG8gd29ybGQgaGVsbG8=)",
            "@Microsoft.KeyVault(SecretUri=https://shop.vault.azure.net/secrets/db)",
            "file:///run/secrets/db",
            "http://localhost",
            "http://vault:8200",
        )
    ),
    ("DB_CREDENTIALS", "postgres://shop:@db/shop"),
    ("PUBLIC_SIGNING_KEY", "0123456789abcdef0123456789abcdef"),
    ("NEXT_PUBLIC_SEARCH_KEY", "0123456789abcdef0123456789abcdef"),
    ("DB_PASSWORD", "<set by the operator>"),
    ("DB_PASSWORD", "********"),
    ("GOOGLE_CREDENTIALS", "/var/secrets/google/key.json"),
    ("SECRET", "https://vault.example.org/v1/db"),
    ("USE_TOKEN", "abc"),
    ("TOKEN", "true"),
    ("TOKENS", "4096"),
    ("REDIS_AUTH", "false"),
    ("SMTP_AUTH", "plain"),
    ("AUTH", "oidc"),
    ("SSH_KEY", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIabc shop@example.org"),
    ("PRIVATE_KEY", "/etc/ssl/key.pem"),
    ("SECRET_ID", "shop-db"),
    ("GPG_KEY", "E3FF2839C048B25C084DEBE9B26995E310250568"),
    ("S3_KEY", "backups20260101abcdef"),
    ("SORT_KEY", "created_at"),
    ("OPENAI_KEY", "shop"),
    ("IMAGE_PULL_SECRET", "regcred"),
    ("TOKEN_SYMBOL", "SHOP"),
    ("PWD", "/app"),
    ("PASSWORD_HASHERS", "argon2"),
    ("PASSWORD_ENCRYPTION", "scram-sha-256"),
    ("GIT_ASKPASS", "git-askpass"),
    ("POSTGRES_INITDB_ARGS", "--auth-host=scram-sha-256"),
    *(
        ("X", value)
        for value in (
            CERTIFICATE,
            base64.b64encode(CERTIFICATE.encode()).decode(),
            "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
            "postgres://db:5432/shop",
            "postgres://shop@db/shop",
            "postgres://shop:${PASSWORD}@db/shop",
            "https://example.org:8443/a@b",
            "https://abc123@o1.ingest.sentry.io/1",
            "https://unpkg.com/@scope/pkg@1.2.3/index.js",
            "host=db user=shop sslmode=require",
            "-Djava.security.auth.login.config=/etc/jaas.conf -Dtoken.ttl=3600",
            "password=${DB_PASSWORD}",
            "Basic authentication",
            "Bearer authentication",
            "registry:5000/abcdefgh",
            "sha256:aa6a33d294e3cdd27a83273fc8a6c5aa138b93e7d9c830c763bc28f1d6aacdc6",
            "8f14e45fceea167a5a36dedd4bea2543",
            "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
            "f4f0c1b6-6f1c-4a0c-9e7b-2f3f0d1f9a11",
            "openid profile token:read",
            "client_secret_post",
            "info",
            "token_ttl: 3600\nsecret_name: shop-db\npassword: ${DB_PASSWORD}\n",
            "Token: see the manual",
        )
    ),
]


def test_the_tables_are_long() -> None:
    assert len(NAMES_OF_SECRETS) + len(NAMES_OF_OTHERS) >= 160
    assert len(SECRETS) + len(OTHERS) >= 80
    assert not set(NAMES_OF_SECRETS) & set(NAMES_OF_OTHERS)


@pytest.mark.parametrize("name", NAMES_OF_SECRETS)
def test_a_name_of_a_secret_is_known_in_each_way_of_writing(name: str) -> None:
    assert names_a_secret(name)
    assert is_secret(name, "hunter2")
    assert secret_in_value("hunter2", name), "what is kept leaves it out too"


@pytest.mark.parametrize("name", NAMES_OF_OTHERS)
def test_a_name_that_is_about_a_secret_or_of_something_else_is_none(name: str) -> None:
    assert not names_a_secret(name)
    assert not is_secret(name, "shop")


@pytest.mark.parametrize(("name", "value"), SECRETS)
def test_a_value_that_is_a_secret_is_found(name: str, value: str) -> None:
    assert is_secret(name, value)


@pytest.mark.parametrize(("name", "value"), OTHERS)
def test_a_value_that_is_none_is_not_found(name: str, value: str) -> None:
    assert not is_secret(name, value)


FROM_SECRET = {"name": "FROM_SECRET", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
POD_NAME = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}


@pytest.mark.parametrize(
    ("env", "found"),
    [
        ({"API_KEY": "$(FROM_SECRET)"}, []),
        ({"API_KEY": "$(FROM_SECRET):$(FROM_SECRET)"}, []),
        ({"DSN": "postgres://shop:$(FROM_SECRET)@db/shop"}, []),
        ({"DSN": "http://$(USER):$(PASS)@h"}, []),
        ({"API_KEY": "$(NOT_THERE)"}, []),
        ({"API_KEY": "$$(FROM_SECRET)"}, ["API_KEY"]),
        ({"API_KEY": "$$$(FROM_SECRET)"}, []),
        ({"API_KEY": "$(FROM_SECRET"}, ["API_KEY"]),
        ({"PLAIN": "hunter2", "API_KEY": "$(PLAIN)"}, ["PLAIN", "API_KEY"]),
        ({"API_KEY": "$(PLAIN)", "PLAIN": "hunter2"}, ["API_KEY", "PLAIN"]),
        ({"A": "hunter2", "B": "$(A)", "C": "$(B)", "API_KEY": "$(C)"}, ["A", "B", "C", "API_KEY"]),
        ({"A": "$(FROM_SECRET)", "API_KEY": "$(A)"}, []),
        ({"A": "$(B)", "B": "$(A)", "API_KEY": "$(A)"}, []),
        ({"API_KEY": "$(API_KEY)"}, []),
        ({"U": "shop", "P": "hunter2", "DSN": "http://$(U):$(P)@h"}, ["U", "P", "DSN"]),
        ({"DSN": "http://u:hunter2@$(POD_NAME)"}, ["DSN"]),
        ({"SESSION_TOKEN": "$(POD_NAME)"}, []),
        ({"SESSION_TOKEN": "$(POD_NAME)-$(POD_NAME)"}, []),
        ({"SESSION_TOKEN": "hunter2-$(POD_NAME)"}, ["SESSION_TOKEN"]),
        ({"TLS": PEM + "$(FROM_SECRET)"}, ["TLS"]),
        ({"LEVEL": "info", "PASSWORD_FILE": "/run/p"}, []),
        ({"DB_PASSWORD": "hunter2$(NOT_THERE)"}, ["DB_PASSWORD"]),
        ({"DB_PASSWORD": "x$(NOT_THERE)"}, ["DB_PASSWORD"]),
        ({"DB_PASSWORD": "hunter2$(DB_PASSWORD)"}, ["DB_PASSWORD"]),
        ({"DB_PASSWORD": "hunter2$(FROM_SECRET)"}, ["DB_PASSWORD"]),
        ({"DSN": "postgres://u:pa$(NOT_THERE)ss@db/x"}, ["DSN"]),
        ({"DSN": "postgres://u:pa$(FROM_SECRET)ss@db/x"}, ["DSN"]),
        ({"A": "hunter2$(B)", "B": "$(A)", "API_KEY": "$(A)"}, ["A", "B", "API_KEY"]),
        ({"API_KEY": "$(NOT_THERE):$(THERE_NEITHER)"}, []),
        ({"API_KEY": "x-$(FROM_SECRET)"}, []),
        ({"API_TOKEN": "Bearer $(FROM_SECRET)"}, []),
        ({"DB_CREDENTIALS": "postgres://shop:$(FROM_SECRET)@db/shop"}, []),
    ],
)
def test_references_are_followed_and_a_secret_from_elsewhere_is_none(
    env: dict[str, str], found: list[str]
) -> None:
    variables = [{"name": name, "value": value} for name, value in env.items()]
    assert literal_secrets([FROM_SECRET, POD_NAME, *variables]) == found


def test_a_name_that_stands_twice_hides_no_value() -> None:
    twice = [{"name": "API_KEY", "value": "hunter2"}, {"name": "API_KEY", "valueFrom": {"secretKeyRef": {}}}]
    assert literal_secrets(twice) == ["API_KEY"]
    assert literal_secrets(
        [{"name": "API_KEY", "value": "x"}, {"name": "API_KEY", "value": "$(API_KEY)"}]
    ) == ["API_KEY"]
    assert literal_secrets([{"name": None, "value": "x"}, {"value": "x"}, {"name": "A"}]) == []


def test_with_further_sources_a_reference_can_lead_there_and_what_stands_around_it_can_be_a_secret() -> None:
    def found(value: str) -> list[str] | None:
        return literal_secrets([{"name": "DB_PASSWORD", "value": value}], has_sources=True)

    assert found("x$(OTHER)") == [] and found("x$(DB_PASSWORD)") == []
    assert found("hunter2$(OTHER)") == ["DB_PASSWORD"] and found("hunter2$(DB_PASSWORD)") == ["DB_PASSWORD"]


def test_what_a_kept_pod_says_of_its_values_is_believed() -> None:
    kept = [{"name": "A", "value": KEPT_SECRET}, {"name": "DB_PASSWORD", "value": KEPT_NO_SECRET}]
    assert literal_secrets(kept, is_kept=True) == ["A"]
    assert literal_secrets(kept[1:], is_kept=True) == []
    unknown = {"name": "B", "value": NOT_KEPT}
    assert literal_secrets([unknown, *kept], is_kept=True) == ["A"], "what was found is known"
    assert literal_secrets([*kept[1:], unknown], is_kept=True) is None


def test_the_words_of_a_kept_pod_are_a_value_like_any_other_in_a_live_one() -> None:
    live = [{"name": "A", "value": NOT_KEPT}, {"name": "DB_PASSWORD", "value": "hunter2"}]
    assert literal_secrets(live) == ["DB_PASSWORD"]
    assert literal_secrets([{"name": "A", "value": KEPT_SECRET}]) == []
    assert literal_secrets([{"name": "DB_PASSWORD", "value": KEPT_NO_SECRET}]) == ["DB_PASSWORD"]


def test_a_long_value_is_read_to_its_end_and_what_is_cut_lets_nothing_pass() -> None:
    assert literal_secrets([{"name": "A", "value": "x " * 60_000 + "postgres://a:hunter2@db/x"}]) == ["A"]
    chain = [{"name": f"A{number}", "value": f"$(A{number + 1})"} for number in range(30)]
    assert literal_secrets(chain) is None
    assert literal_secrets([*chain, {"name": "DB_PASSWORD", "value": "hunter2"}]) == ["DB_PASSWORD"]


@pytest.mark.parametrize(
    "values",
    [
        [f"$(A{number + 1})$(A{number + 1})" for number in range(2000)],
        [f"$(A{number - 1})$(A{number - 1})x" for number in range(2000)],
        ["$(A1)" * 20_000, "x" * 200_000],
        ["a=" * 100_000],
        ["://" * 60_000],
        ["basic " * 30_000],
        ["LS0tLS1CRUdJTi" * 10_000],
        ["passw" * 40_000],
        ["a: " * 60_000],
        [" " * 200_000],
        ["a1" * 100_000],
    ],
)
def test_no_environment_takes_long(values: list[str]) -> None:
    begun = time.process_time()
    literal_secrets([{"name": f"A{number}", "value": value} for number, value in enumerate(values)])
    names_a_secret("passPass" * 20_000)
    assert time.process_time() - begun < 3
