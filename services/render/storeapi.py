"""The store's API as render asks it: whatever is no answer that can be used is an outage."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

import httpx
from pydantic import SecretStr, ValidationError

from newsroom.articles import Contract
from newsroom.errors import Away

AnswerT = TypeVar("AnswerT", bound=Contract)


class StoreApi:
    """Asks with render's own key unless another is given. What stands on it says what for."""

    def __init__(self, url: str, key: SecretStr | None, client: httpx.AsyncClient) -> None:
        self._url, self._key, self._client = url, key, client

    async def _ask(
        self,
        model: type[AnswerT],
        path: str,
        what: str,
        *,
        method: str = "GET",
        asked: Mapping[str, str] | None = None,
        json: object = None,
        secret: str | None = None,
        unknown: Collection[int] = (httpx.codes.NOT_FOUND,),
    ) -> AnswerT | None:
        """The answer; None where its status is one of `unknown`. `what` it is about is told in errors.

        Raises: Away.
        """
        try:
            response = await self._client.request(
                method,
                self._url + path,
                params=asked,
                json=json,
                headers={"Authorization": f"Bearer {secret or self._own_key(what)}"},
            )
        except httpx.TransportError as error:
            raise Away("store", type(error).__name__) from error
        if response.status_code in unknown:
            return None
        if not response.is_success:
            is_ours = secret is None and response.status_code in (401, 403)
            hint = ": check NEWSROOM_PUBLISHER_KEY" if is_ours else ""
            raise Away("store", f"{response.status_code} for {what}{hint}")
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            raise Away("store", f"its answer about {what} cannot be read") from error

    def _own_key(self, what: str) -> str:
        if self._key is None:
            raise Away("store", f"{what} needs a publisher's key: set NEWSROOM_PUBLISHER_KEY")
        return self._key.get_secret_value()
