"""Every route of every service, asked by everybody: the table in `tests.access` is how it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio

from faults.stage.environment import SERVICES
from newsroom.kafka.producer import KafkaPublisher
from newsroom.keys import ApiKey, Role, digest, key_message, new_secret
from newsroom.times import now
from tests import outputs
from tests.access import CALLERS, DOOMED, DRAFT, PUBLIC, TABLE, Row
from tests.stack import Stack, an_article, until, without_id
from tests.wire_parts import OTHER_ADDRESSES

pytestmark = [OTHER_ADDRESSES, pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

Clients = dict[str, httpx.AsyncClient]


async def write_keys(stack: Stack) -> dict[str, str]:
    """One for each caller but nobody, straight onto the log; their secrets."""
    moment = now()
    good = {
        role.value: ApiKey(name=f"the-{role}", role=role, secret_sha256="", created_at=moment)
        for role in Role
    }
    former = good[Role.PUBLISHER]
    made = {
        **good,
        "revoked": former.model_copy(update={"name": "revoked", "revoked_at": moment}),
        "expired": former.model_copy(update={"name": "expired", "expires_at": moment - timedelta(days=1)}),
        DOOMED: former.model_copy(update={"name": DOOMED}),
    }
    secrets = {name: new_secret() for name in (*made, "garbage")}
    publisher = KafkaPublisher(stack.bootstrap, client_id="test")
    await publisher.start()
    for name, key in made.items():
        whole = key.model_copy(update={"secret_sha256": digest(secrets[name])})
        await publisher.publish_all([key_message(whole)])
    await publisher.stop()
    return secrets


def a_client(number: int, secret: str | None) -> httpx.AsyncClient:
    """From an address of its own, or their bad keys would be counted together."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    transport = httpx.AsyncHTTPTransport(local_address=f"127.0.1.{number}")
    return httpx.AsyncClient(headers=headers, transport=transport, timeout=60)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clients(stack: Stack) -> AsyncIterator[Clients]:
    """The callers, once every service knows the newest of their keys; and what they ask for stands."""
    secrets = await write_keys(stack)
    article = an_article(PUBLIC, live=True)
    await stack.publish(PUBLIC, live=True)
    await stack.send("POST", f"/articles/{PUBLIC}/updates", {"note": "New.", "article": without_id(article)})
    await stack.send("POST", f"/articles/{PUBLIC}/entries", {"id": "first", "headline": "A post"})
    await stack.send("POST", "/articles", an_article(DRAFT, draft=True))
    await stack.send("PUT", f"/articles/{DRAFT}/draft", without_id(an_article(DRAFT)))
    async with AsyncExitStack() as ends:
        made = {
            name: await ends.enter_async_context(a_client(number, secrets.get(name)))
            for number, name in enumerate((*CALLERS, DOOMED), start=1)
        }
        await until(lambda: is_known(stack, made[DOOMED]), "every service knows the keys")
        yield made


async def is_known(stack: Stack, client: httpx.AsyncClient) -> bool:
    asked = {"ingest": "/keys", "store": "/dead-letters", "render": f"/preview/{DRAFT}"}
    return all([(await client.get(stack.url(each) + asked[each])).status_code == 200 for each in SERVICES])


async def status(stack: Stack, client: httpx.AsyncClient, row: Row) -> int:
    """What is answered; a stream is left as soon as it begins."""
    url = stack.url(row.service) + row.ask
    async with client.stream(row.method, url, json=row.body) as response:
        return response.status_code


async def test_every_route_has_a_row(stack: Stack) -> None:
    listed = {(row.service, row.method, row.route) for row in TABLE}
    assert await outputs.routes(stack.environment()) == listed


@pytest.mark.parametrize("caller", CALLERS)
async def test_every_route_answers_each_caller_as_the_table_says(
    stack: Stack, clients: Clients, caller: str
) -> None:
    """Those who may the least come first, so that what a publisher does away with stands for them."""
    told = {str(row): await status(stack, clients[caller], row) for row in TABLE}
    assert told == {str(row): row.expected(caller) for row in TABLE}


async def test_each_failed_login_is_logged_and_no_log_has_a_key(stack: Stack, clients: Clients) -> None:
    """After all that was asked above."""
    sent = [
        client.headers["authorization"].split()[1] for name, client in clients.items() if name != "nobody"
    ]
    for name in SERVICES:
        lines = stack.log(name)
        for reason in ("unknown", "revoked", "expired"):
            assert f'"reason":"{reason}"' in lines, name
        assert '"event":"access_refused"' in lines, name
        assert [secret for secret in sent if secret in lines] == []
