"""AWS for tests. moto is S3 and IAM: it holds each request to the policy of the role that signs it,
as test/golden declares it. Where pods get a role from is a stand-in of this file."""

import json
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import boto3
import pytest
import trustme

from tests.stores import free_port

REGION = "eu-central-1"
STS = f"sts.{REGION}.amazonaws.com"
TOKEN = "a.token.of-the-service-account"
_OWNER = "arn:aws:iam::123456789012:user/owner"


def _allow(**statement: object) -> str:
    whole = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | statement]}
    return json.dumps(whole)


def golden(name: str) -> Any:
    directory = Path(__file__).parents[3] / "test/golden/alternatives"
    return json.loads((directory / f"{name}.json").read_text())["inputs"]


class Account:
    """Has a user who may do everything, and the roles of the golden files."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.ca = trustme.CA()
        anybody = self._session("anybody", "anything")
        iam = anybody.client("iam", endpoint_url=endpoint)
        iam.create_user(UserName="owner")
        everything = _allow(Action="*", Resource="*")
        iam.put_user_policy(UserName="owner", PolicyName="all", PolicyDocument=everything)
        key = iam.create_access_key(UserName="owner")["AccessKey"]
        self._owner = self._session(key["AccessKeyId"], key["SecretAccessKey"])
        for app in ("api", "aigc-worker", "backup", "restore", "models"):
            # Who else may take it on, the giver checks; moto knows no tokens.
            trust = _allow(Action="sts:AssumeRole", Principal={"AWS": _OWNER})
            iam.create_role(RoleName=app, AssumeRolePolicyDocument=trust)
            policy = json.dumps(golden(f"{app}-role-policy")["policy"])
            iam.put_role_policy(RoleName=app, PolicyName="golden", PolicyDocument=policy)
        # From now on requests are held to policies.
        enforce = Request(f"{endpoint}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"})
        urlopen(enforce).close()
        self.s3 = self._owner.client("s3", endpoint_url=endpoint)
        where = {"LocationConstraint": REGION}
        for bucket in ("pictures-bucket-store", "backup-bucket-store", "weights-example-com"):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)

    def assume(self, role: str) -> dict[str, Any]:
        sts = self._owner.client("sts", endpoint_url=self.endpoint)
        answer = sts.assume_role(RoleArn=role, RoleSessionName="pod")
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials

    def _session(self, key_id: str, secret: str) -> boto3.Session:
        return boto3.Session(key_id, secret, region_name=REGION)


def arn(role: str) -> str:
    return f"arn:aws:iam::123456789012:role/{role}"


@contextmanager
def account(directory: Path) -> Iterator[Account]:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with (directory / "moto.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        for _ in range(600):
            try:
                urlopen(f"{endpoint}/moto-api/").close()
                break
            except URLError:
                time.sleep(0.1)
        yield Account(endpoint)
    finally:
        server.kill()
        server.wait()


class Giver(ThreadingHTTPServer):
    """Stands in for STS, with TLS, and for the agent of EKS Pod Identity, without."""

    def __init__(self, account: Account, role: str, *, tls: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.account, self.role = account, role
        self.lives = timedelta(hours=1)
        """How long what it gives is good."""
        self.asked = 0
        scheme = "http"
        if tls:
            scheme, context = "https", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            account.ca.issue_cert("127.0.0.1", STS).configure_cert(context)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"{scheme}://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Giver

    def do_POST(self) -> None:
        """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html"""
        length = int(self.headers.get("Content-Length") or 0)
        query = parse_qs(urlsplit(self.path).query or self.rfile.read(length).decode())
        asked = {name: values[0] for name, values in query.items()}
        if (asked["Action"], asked["RoleArn"], asked["WebIdentityToken"]) != (
            "AssumeRoleWithWebIdentity",
            arn(self.server.role),
            TOKEN,
        ):
            self.send_error(403)
            return
        given, until = self._give()
        fields = {
            "AccessKeyId": given["AccessKeyId"],
            "SecretAccessKey": given["SecretAccessKey"],
            "SessionToken": given["SessionToken"],
            "Expiration": until,
        }
        xml = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
        self._answer(
            '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<AssumeRoleWithWebIdentityResult><Credentials>{xml}</Credentials>"
            "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        )

    def do_GET(self) -> None:
        """https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html"""
        if self.headers["Authorization"] != TOKEN:
            self.send_error(403)
            return
        given, until = self._give()
        fields = {
            "AccessKeyId": given["AccessKeyId"],
            "SecretAccessKey": given["SecretAccessKey"],
            "Token": given["SessionToken"],
            "AccountId": "123456789012",
            "Expiration": until,
        }
        self._answer(json.dumps(fields))

    def _give(self) -> tuple[dict[str, Any], str]:
        self.server.asked += 1
        until = datetime.now(UTC) + self.server.lives
        return self.server.account.assume(arn(self.server.role)), f"{until:%Y-%m-%dT%H:%M:%SZ}"

    def _answer(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _serving(server: Giver) -> Iterator[Giver]:
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def by_tokens(
    account: Account, role: str, directory: Path
) -> Iterator[tuple[Giver, dict[str, str]]]:
    """IRSA: the giver, and what the webhook of EKS puts into a pod's environment.
    https://docs.aws.amazon.com/eks/latest/userguide/pod-configuration.html"""
    account.ca.cert_pem.write_to_path(str(directory / "ca.pem"))
    (directory / "token").write_text(TOKEN)
    with _serving(Giver(account, role, tls=True)) as giver:
        yield (
            giver,
            {
                "AWS_ROLE_ARN": arn(role),
                "AWS_WEB_IDENTITY_TOKEN_FILE": str(directory / "token"),
                "AWS_STS_REGIONAL_ENDPOINTS": "regional",
                # Only here: STS is elsewhere, and has another CA.
                "AWS_ENDPOINT_URL_STS": giver.url,
                "SSL_CERT_FILE": str(directory / "ca.pem"),
            },
        )


@contextmanager
def by_agent(
    account: Account, role: str, directory: Path
) -> Iterator[tuple[Giver, dict[str, str]]]:
    """EKS Pod Identity: the giver, and what EKS puts into a pod's environment.
    https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html"""
    (directory / "token").write_text(TOKEN)
    with _serving(Giver(account, role, tls=False)) as giver:
        yield (
            giver,
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{giver.url}/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(directory / "token"),
            },
        )


WAYS = {"by tokens": by_tokens, "by the agent": by_agent}


def take_on(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes this process the pod."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
