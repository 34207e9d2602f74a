"""What import contracts do not see: relations between models, written as strings, keep the same order."""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.db import models

from tests.architecture.layers import ROOT, SOURCES, may_use

USER = "accounts.Person"


def own_models() -> list[type[models.Model]]:
    """Every model of the product, the tables between many and many included."""
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if model.__module__.startswith("depesche.")]


def home(model: type[models.Model]) -> str:
    """The Django app of a model, as a dotted name."""
    return apps.get_app_config(model._meta.app_label).name


def test_every_app_has_a_label_of_its_own() -> None:
    labels = {app.name: app.label for app in apps.get_app_configs() if app.name.startswith("depesche.")}
    assert labels
    assert {name: label for name, label in labels.items() if not label.startswith("depesche_")} == {}


def test_the_user_model_has_its_final_name() -> None:
    assert f"depesche_{USER}" == settings.AUTH_USER_MODEL


def test_relations_point_downwards_only() -> None:
    wrong = []
    for model in own_models():
        for field in model._meta.get_fields():
            other = field.related_model
            if (
                field.auto_created
                or not isinstance(other, type)
                or not other.__module__.startswith("depesche.")
            ):
                continue
            if other._meta.label == settings.AUTH_USER_MODEL and home(model).startswith("depesche.mailroom"):
                continue  # as in any other Django project: a person, whoever provides the model
            if not may_use(home(model), home(other)):
                wrong.append(f"{model._meta.label}.{field.name} -> {other._meta.label}")
    assert wrong == []


def test_mailroom_refers_to_persons_by_the_setting_alone() -> None:
    """A migration that names the tracker's app would tie every other project to the tracker."""
    upper = [app.label for app in apps.get_app_configs() if app.name.startswith("depesche.tracker.")]
    assert upper
    wrong = [
        f"{path.relative_to(ROOT)}: {label}"
        for path in sorted((SOURCES / "mailroom").rglob("migrations/*.py"))
        for label in upper
        if label in path.read_text(encoding="utf-8")
    ]
    assert wrong == []
