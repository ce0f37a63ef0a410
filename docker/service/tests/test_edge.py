"""Through the real nginx: who a client is, whatever stands before it, and TLS."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api.certificate import Certificate
from core.settings import Settings
from tests import edge as edges
from tests.edge import Edge, ask, certify, edge, mirror, proxy_v1, proxy_v2, trusting
from tests.service import SECRET, SMALL, serve

pytestmark = pytest.mark.stores

CLIENT = "203.0.113.7"
CLIENT6 = "2001:db8:7::7"
LIE = "192.0.2.66"
PROXY, STRANGER = "127.0.0.2", "127.0.0.9"
TRUSTED = [f"{PROXY}/32"]
INSIDE, PUBLIC, TLS = 8080, 8081, 8443
LIES = {
    "X-Forwarded-For": LIE,
    "X-Real-IP": LIE,
    "CF-Connecting-IP": LIE,
    "Forwarded": f"for={LIE}",
}

Start = Callable[..., Edge]


@pytest.fixture
def start(servers_directory: Path) -> Iterator[Start]:
    """Starts nginx with these arguments, before a mirror."""
    with ExitStack() as stack:

        def start(**args: object) -> Edge:
            upstream = stack.enter_context(mirror())
            return stack.enter_context(edge(servers_directory / "edge", upstream, **args))

        yield start


def told(edge: Edge, answer: edges.Answer) -> set[str]:
    """Every address that the api and the log were given for a client."""
    headers = answer.told
    logged = edge.logged(headers["x-request-id"])
    return {headers["x-real-ip"], headers["x-forwarded-for"], logged["client"]}


BALANCERS = {"proxies": TRUSTED, "proxyProtocol": True}


def test_without_proxies_a_client_is_who_connects_whatever_it_says(start: Start) -> None:
    edge = start()
    answer = ask(edge.ports[INSIDE], source=STRANGER, headers=LIES)
    assert told(edge, answer) == {STRANGER}


@pytest.mark.parametrize("chain", [CLIENT, f"{LIE}, {CLIENT}", f"{LIE}, {CLIENT}, {PROXY}"])
def test_a_proxy_in_front_says_who_its_client_is(start: Start, chain: str) -> None:
    edge = start(proxies=TRUSTED)
    headers = LIES | {"X-Forwarded-For": chain}
    assert told(edge, ask(edge.ports[INSIDE], source=PROXY, headers=headers)) == {CLIENT}


def test_nobody_else_is_believed_on_who_the_client_is(start: Start) -> None:
    edge = start(proxies=TRUSTED)
    answer = ask(edge.ports[INSIDE], source=STRANGER, headers=LIES)
    assert told(edge, answer) == {STRANGER}


@pytest.mark.parametrize("header", [proxy_v1, proxy_v2])
@pytest.mark.parametrize("client", [CLIENT, CLIENT6])
@pytest.mark.parametrize("tls", ["none", "everybody"])
def test_a_load_balancer_says_who_its_client_is_in_a_proxy_header(
    start: Start, header: Callable[[str], bytes], client: str, tls: str
) -> None:
    edge = start(**BALANCERS, tls=tls)
    port, context = (PUBLIC, None) if tls == "none" else (TLS, trusting(edge))
    answer = ask(edge.ports[port], source=PROXY, first=header(client), tls=context, headers=LIES)
    assert told(edge, answer) == {client}


@pytest.mark.parametrize("header", [proxy_v1, proxy_v2])
def test_nobody_else_is_believed_in_a_proxy_header(
    start: Start, header: Callable[[str], bytes]
) -> None:
    edge = start(**BALANCERS)
    answer = ask(edge.ports[PUBLIC], source=STRANGER, first=header(LIE), headers=LIES)
    assert told(edge, answer) == {STRANGER}


def test_pods_and_probes_need_no_proxy_header_where_load_balancers_send_one(start: Start) -> None:
    edge = start(**BALANCERS)
    answer = ask(edge.ports[INSIDE], source=STRANGER, headers=LIES)
    assert told(edge, answer) == {STRANGER}


@pytest.mark.parametrize("tls", ["none", "everybody"])
def test_an_nlb_finds_it_healthy(start: Start, tls: str) -> None:
    """Its checks begin with a PROXY header too, that tells of no client, and end there."""
    edge = start(**BALANCERS, tls=tls)
    for port in {edge.ports[each] for each in (PUBLIC, TLS) if each in edge.ports}:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as check:
            check.sendall(edges.nlb_health_check())
            check.shutdown(socket.SHUT_WR)
            assert check.recv(1) == b""
    answer = ask(edge.ports[PUBLIC], source=PROXY, first=edges.nlb_health_check())
    assert answer.status == (200 if tls == "none" else 308)
    for level in ("error", "crit", "alert"):
        assert f"[{level}]" not in edge.log


def test_the_tunnels_end_says_who_the_client_is(start: Start) -> None:
    edge = start(proxies=TRUSTED, clientHeader="CF-Connecting-IP")
    headers = LIES | {"CF-Connecting-IP": CLIENT}
    assert told(edge, ask(edge.ports[INSIDE], source=PROXY, headers=headers)) == {CLIENT}
    assert told(edge, ask(edge.ports[INSIDE], source=STRANGER, headers=LIES)) == {STRANGER}


@pytest.mark.parametrize("client", [CLIENT, CLIENT6])
@pytest.mark.parametrize("first", [None, proxy_v1, proxy_v2])
def test_cloudflare_says_who_the_client_is_through_any_load_balancer(
    start: Start, client: str, first: Callable[[str], bytes] | None
) -> None:
    """Whose address a connection shows depends on the load balancer, and tells nothing."""
    edge = start(tls="cloudflare", clientHeader="CF-Connecting-IP", proxyProtocol=first is not None)
    answer = ask(
        edge.ports[TLS],
        source=STRANGER,
        first=first("198.51.100.9") if first else b"",
        tls=trusting(edge, own=True),
        headers=LIES | {"CF-Connecting-IP": client},
    )
    assert told(edge, answer) == {client}


@pytest.mark.parametrize("tls", ["everybody", "cloudflare"])
@pytest.mark.parametrize("proxied", [False, True])
async def test_the_api_sees_when_its_certificate_ends(
    start: Start, tls: str, proxied: bool
) -> None:
    edge = start(tls=tls, clientHeader="CF-Connecting-IP", proxyProtocol=proxied)
    certificate = Certificate(
        Settings(
            certificate_server=f"127.0.0.1:{edge.ports[TLS]}",
            certificate_proxied=proxied,
            public_url=f"https://{edges.HOST}",
        )
    )
    ends = await certificate._ends()
    assert 86_400 < ends - time.time() < 3 * 86_400, "it was made for two days"


@pytest.mark.parametrize("claim", ["", "nobody", f"{LIE}, {LIE}", '"', "127.0.0.1\t"])
def test_what_is_no_address_is_none(start: Start, claim: str) -> None:
    edge = start(tls="cloudflare", clientHeader="CF-Connecting-IP")
    headers = {"CF-Connecting-IP": claim}
    answer = ask(edge.ports[TLS], source=STRANGER, tls=trusting(edge, own=True), headers=headers)
    assert told(edge, answer) <= {STRANGER, "127.0.0.1"}


def test_without_cloudflares_certificate_nobody_gets_in_or_is_believed(start: Start) -> None:
    edge = start(tls="cloudflare", clientHeader="CF-Connecting-IP")
    refused = ask(edge.ports[TLS], tls=trusting(edge), headers=LIES)
    assert refused.status == 400
    certify(edge.directory / "others", "others")
    stranger = trusting(edge)
    stranger.load_cert_chain(edge.directory / "others/tls.crt", edge.directory / "others/tls.key")
    assert ask(edge.ports[TLS], tls=stranger, headers=LIES).status == 400
    answer = ask(edge.ports[INSIDE], source=STRANGER, headers=LIES)
    assert told(edge, answer) == {STRANGER}
    assert LIE not in edge.log


@pytest.mark.parametrize("proxy_protocol", [False, True])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_http_is_led_to_https_with_host_path_and_method(
    start: Start, proxy_protocol: bool, method: str
) -> None:
    edge = start(tls="everybody", proxyProtocol=proxy_protocol, proxies=TRUSTED)
    first = proxy_v2(CLIENT) if proxy_protocol else b""
    path = "/api/tasks/a%20b?status=failed&limit=2"
    answer = ask(edge.ports[PUBLIC], path, method=method, source=PROXY, first=first)
    # 308 keeps the method: https://www.rfc-editor.org/rfc/rfc9110#section-15.4.9
    assert (answer.status, answer.headers["location"]) == (308, f"https://{edges.HOST}{path}")


def test_a_renewed_certificate_is_served_without_a_word_to_nginx(start: Start) -> None:
    edge = start(tls="everybody")
    old = trusting(edge)
    assert ask(edge.ports[TLS], tls=old).status == 200
    certify(edge.directory / "tls", "second")
    assert ask(edge.ports[TLS], tls=trusting(edge)).status == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(edge.ports[TLS], tls=old)


def test_tls_is_not_older_than_1_2(start: Start) -> None:
    edge = start(tls="everybody")
    old = trusting(edge)
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        ask(edge.ports[TLS], tls=old)


@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
async def test_clients_of_one_load_balancer_have_a_rate_limit_each(
    clean: None, settings: Settings, servers_directory: Path
) -> None:
    pods = (ip_network("127.0.0.0/8"),)
    limited = settings.model_copy(update={"rate_limit": "2/minute", "trusted_proxies": pods})
    headers = LIES | {"Authorization": f"Bearer {SECRET}", "Prefer": "respond-async"}
    async with serve(limited) as api:
        upstream = urlsplit(str(api.base_url)).port or 0
        with edge(servers_directory / "edge", upstream, **BALANCERS) as front:

            def generate(client: str) -> int:
                return ask(
                    front.ports[PUBLIC],
                    "/api/generate",
                    source=PROXY,
                    first=proxy_v2(client),
                    headers=headers,
                    body=SMALL,
                ).status

            clients = [CLIENT, CLIENT, CLIENT6, CLIENT, CLIENT6, CLIENT6]
            answers = [await asyncio.to_thread(generate, client) for client in clients]
    assert answers == [202, 202, 202, 429, 202, 429]


PAGE = "https://app.example"


@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
@pytest.mark.parametrize("allowed", [(), (PAGE, "https://other.example:8443"), ("*",)], ids=str)
async def test_a_page_reads_nginxs_own_errors_as_it_reads_the_apis(
    clean: None, settings: Settings, servers_directory: Path, allowed: tuple[str, ...]
) -> None:
    def cors(answer: edges.Answer) -> list[str | None]:
        """What a browser goes by; without the first, it goes by nothing else."""
        names = ("Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Vary")
        origin, *others = (answer.headers[name] for name in names)
        return [origin, *others] if origin else []

    async with serve(settings.model_copy(update={"cors_origins": allowed})) as api:
        upstream = urlsplit(str(api.base_url)).port or 0
        with edge(servers_directory / "edge", upstream, corsOrigins=allowed) as front:

            def answer(origin: str | None, **headers: str) -> edges.Answer:
                told = ({} if origin is None else {"Origin": origin}) | headers
                return ask(front.ports[INSIDE], "/api/tasks", method="POST", headers=told)

            for origin in (PAGE, "https://evil.example", f"{PAGE}.evil.example", "null", None):
                theirs = await asyncio.to_thread(answer, origin)
                assert theirs.status == 401
                for status, headers in {
                    400: {"Content-Length": "many"},
                    413: {"Content-Length": "99999999"},
                    431: {"X-Long": "x" * 40_000},
                    501: {"Transfer-Encoding": "bzip2"},
                }.items():
                    own = await asyncio.to_thread(answer, origin, **headers)
                    assert own.status == status
                    assert cors(own) == cors(theirs), (status, origin)
