from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection


def test_home_is_thrown_away() -> None:
    assert Path(os.environ["DEPESCHE_HOME"]).name.startswith("depesche-test-")
    assert settings.PASSWORD_HASHERS == ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.mark.django_db
def test_the_test_database_is_not_in_memory() -> None:
    name = str(connection.settings_dict["NAME"])
    assert "memory" not in name
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
