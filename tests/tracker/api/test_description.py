"""The interface does what its description says, whatever is sent: no 5xx, and no status that it does not
describe."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from depesche.tracker.accounts.models import Person
from depesche.tracker.api import tokens
from depesche.tracker.api.rest import api
from depesche.tracker.items import actions

DESCRIBED = api.get_openapi_schema()
OPERATIONS = [
    (method, path)
    for path, methods in DESCRIBED["paths"].items()
    for method in methods
    if not path.endswith("/connection/test")  # which goes out to a server
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
words = st.text(min_size=1, max_size=40) | st.sampled_from(
    ["NW-1", "1", "0", "-1", "9" * 30, "admin@example.org"]
)


def test_it_is_openapi_3_1(client: Client) -> None:
    described = client.get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert {"/api/v1/items", "/api/v1/outbox", "/api/v1/connection"} <= set(described["paths"])


@pytest.fixture
def token(db: None) -> str:
    admin = Person.objects.create(email="admin@example.org", name="Ada Min", is_admin=True)
    workspace = actions.create_workspace("Plant", key="NW", members=[admin])
    actions.create_item(workspace, author=admin, title="Pump")
    return tokens.create(admin)


def fields_of(operation: dict[str, Any]) -> Iterator[str]:
    """The names of the fields that its body may have."""
    for form in operation.get("requestBody", {}).get("content", {}).values():
        name = form["schema"].get("$ref", "").rpartition("/")[2]
        yield from DESCRIBED["components"]["schemas"].get(name, {}).get("properties", {})


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_answer_is_described(client: Client, token: str, method: str, path: str, data: Any) -> None:
    operation = DESCRIBED["paths"][path][method]
    url = re.sub(r"\{[^}]*\}", lambda _: quoted(data.draw(words)), path)
    query = {one["name"]: data.draw(words) for one in operation.get("parameters", []) if one["in"] == "query"}
    if data.draw(st.booleans()):
        query = {}
    fields = list(fields_of(operation))
    strategy = st.dictionaries(st.sampled_from(fields), anything, max_size=5) if fields else anything
    body = json.dumps(data.draw(strategy | anything))
    kind = data.draw(st.sampled_from(["application/json", "message/rfc822", "text/plain"]))
    given_ = query if method in {"get", "delete"} else body
    answer = getattr(client, method)(
        url,
        given_,
        content_type=kind,
        query_params=None if method == "get" else query,
        headers={"Authorization": f"Bearer {token}"},
    )
    described = {int(status) for status in operation["responses"]}
    # 404 also from the router, for a path that is none of ours (an id that is no number).
    assert answer.status_code in described | {404}, answer.content
    if answer.status_code >= 400 and answer.headers["Content-Type"].startswith("application/json"):
        assert answer.json()["detail"]


def quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")
