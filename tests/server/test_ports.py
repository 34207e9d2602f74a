from __future__ import annotations

import pytest

from depesche.server.processes import port_is_free
from tests.support.ports import free_port


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 99_999), ("127.0.0.1", -1), ("300.1.1.1", 8000)])
def test_no_such_port_or_address_is_a_plain_no(host: str, port: int) -> None:
    assert not port_is_free(host, port)


def test_a_free_port() -> None:
    assert port_is_free("127.0.0.1", free_port())
