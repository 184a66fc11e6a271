"""The HTTP every adapter shares: one client per endpoint, streaming posts, no detours.

The rule a reader must not break: the key goes to the configured host and nowhere else. Redirects
are never followed, loopback is never sent through a proxy, and packed answers are not asked for.
"""

import asyncio
import ipaddress
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from orchestra_tui.domain.errors import UsageError
from orchestra_tui.engine.adapters.base import InvalidResponse
from orchestra_tui.engine.adapters.sse import head_of_body

CONNECT_TIMEOUT = 10.0
WRITE_TIMEOUT = 60.0
PROBE_TIMEOUT = 3.0
MAX_LOOK = 256 * 1024


@dataclass(frozen=True)
class Look:
    """What a GET found: status None means no answer, `is_silent` that something took the call."""

    status: int | None
    body: bytes = b""
    is_silent: bool = False


class HttpEndpoint:
    """A base URL, and the connections to it. Reading is timed by the caller's `ReplyClock`.

    `transport` replaces the network (the rehearsal, tests). Raises UsageError for a base URL that
    is none, or a header that cannot be sent.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = _base_url(base_url)
        self._headers = {"Accept-Encoding": "identity", **(headers or {})}
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()

    @property
    def host(self) -> str:
        """The host with its port where that is not the usual one, for messages."""
        return self._url.netloc.decode("ascii")

    @property
    def name(self) -> str:
        """The host alone."""
        return self._url.host

    @asynccontextmanager
    async def post(
        self,
        path: str,
        body: Mapping[str, object],
        headers: Mapping[str, str],
        *,
        query: Mapping[str, str] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """Send `body` as JSON; the response's body is still to be read. Raises httpx.HTTPError."""
        client = await self._open()
        # A task from a command line may hold lone surrogates, which no UTF-8 can.
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        headers = {"Content-Type": "application/json", **headers}
        async with client.stream(
            "POST", self._at(path).copy_merge_params(query or {}), content=content, headers=headers
        ) as response:
            yield response

    async def look(self, path: str, *, seconds: float = PROBE_TIMEOUT) -> Look:
        """What a GET finds within so many seconds; never raises for what the server does."""
        client = await self._open()
        try:
            async with (
                asyncio.timeout(seconds),
                client.stream("GET", self._at(path)) as response,
            ):
                return Look(response.status_code, await head_of_body(response, limit=MAX_LOOK))
        except TimeoutError:
            return Look(None, is_silent=True)
        except (httpx.HTTPError, InvalidResponse):
            return Look(None)

    async def close(self) -> None:
        """Close every connection."""
        async with self._opening:
            if self._client is not None:
                await self._client.aclose()
                self._client = None

    def _at(self, path: str) -> httpx.URL:
        return self._url.copy_with(path=f"{self._url.path.rstrip('/')}/{path}")

    async def _open(self) -> httpx.AsyncClient:
        async with self._opening:
            if self._client is None:
                # Loading the certificates reads a quarter of a megabyte of files.
                self._client = await asyncio.to_thread(self._new_client)
            return self._client

    def _new_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=self._transport,
            headers=self._headers,
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT, write=WRITE_TIMEOUT),
            trust_env=not is_loopback(self._url.host),
            follow_redirects=False,
        )


def is_loopback(host: str) -> bool:
    """True if the host is this machine: `localhost`, 127.0.0.0/8 or ::1."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _base_url(text: str) -> httpx.URL:
    hint = "write it like https://api.openai.com/v1"
    try:
        url = httpx.URL(text)
        host = url.host
    except (httpx.InvalidURL, UnicodeError):
        # A host may be read only to find that it is no name in any language.
        raise UsageError(f"the base_url cannot be read: {hint}") from None
    if url.scheme not in {"http", "https"} or not host:
        raise UsageError(f"the base_url has no http:// or https:// host: {hint}")
    if url.port is not None and not 0 < url.port < 65536:
        raise UsageError(f"the base_url names a port that does not exist: {hint}")
    if url.userinfo:
        raise UsageError("the base_url holds a user or key: put keys in api_key_env instead")
    return url
