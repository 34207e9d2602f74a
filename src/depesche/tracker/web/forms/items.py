"""Forms around items: list, new, edit, comment."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from depesche.tracker.accounts.models import Person
from depesche.tracker.items import attachments as files
from depesche.tracker.items import queries
from depesche.tracker.items.actions import MAX_TEXT, MAX_TITLE
from depesche.tracker.items.attachments import NewAttachment
from depesche.tracker.items.models import Item, Workspace

_DATE_FORMATS = ["%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%d %B %Y", "%d/%m/%Y"]


class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Any number of files; gives a list of NewAttachment. Refuses what is too much before it is read."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[NewAttachment]:
        uploads: list[UploadedFile[Any]] = [upload for upload in data or [] if upload]
        if not uploads and self.required:
            super().clean(None, initial)
        for upload in uploads:
            if (upload.size or 0) > files.MAX_SIZE:
                raise forms.ValidationError(
                    _("%(name)s is larger than %(megabytes)d MB."),
                    params={"name": upload.name, "megabytes": files.MAX_SIZE // 1024 // 1024},
                )
        if sum(upload.size or 0 for upload in uploads) > files.MAX_TOTAL:
            raise forms.ValidationError(
                _("The files are larger than %(megabytes)d MB together."),
                params={"megabytes": files.MAX_TOTAL // 1024 // 1024},
            )
        return [
            NewAttachment(upload.name or "", upload.content_type or "", upload.read()) for upload in uploads
        ]


def _files(label: Any) -> FilesField:
    return FilesField(
        label=label,
        required=False,
        help_text=_("At most 20 MB each. In mails they are links that need a sign-in."),
    )


class PersonChoice(forms.ChoiceField):
    """A member of the workspace, or nobody. Gives a Person or None."""

    def __init__(self, *, label: Any, **kwargs: Any) -> None:
        super().__init__(label=label, required=False, **kwargs)
        self.people: dict[str, Person] = {}

    def offer(self, people: list[Person], also: Person | None = None) -> None:
        """The members by name; `also` is who has the place now, member or not."""
        self.people = {str(person.pk): person for person in [*people, *([also] if also else [])]}
        self.choices = [("", "–"), *((key, person.name) for key, person in self.people.items())]

    def clean(self, value: Any) -> Person | None:
        return self.people.get(super().clean(value))


class ItemFields(forms.Form):
    """What new and edit have in common."""

    title = forms.CharField(
        label=_("Title"),
        max_length=MAX_TITLE,
        error_messages={"required": _("Enter a title.")},
    )
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=MAX_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "class": "tall"}),
        help_text=_("Markdown: **bold**, *italic*, lists with -, links as they are."),
    )
    state = forms.ChoiceField(label=_("State"), choices=Item.State.choices)
    priority = forms.TypedChoiceField(label=_("Priority"), choices=Item.Priority.choices, coerce=int)
    responsible = PersonChoice(label=_("Responsible"))
    manager = PersonChoice(label=_("Manager"))
    due = forms.DateField(
        label=_("Due"),
        required=False,
        input_formats=_DATE_FORMATS,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Enter a date, for example 2026-11-19.")},
    )

    def offer_people(self, workspace: Workspace, item: Item | None = None) -> None:
        people = list(queries.members(workspace))
        for name in ("responsible", "manager"):
            field = self.fields[name]
            assert isinstance(field, PersonChoice)
            field.offer(people, getattr(item, name) if item else None)


class NewItemForm(ItemFields):
    watchers = forms.MultipleChoiceField(
        label=_("Watchers"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "They hear of the new item and of what happens to it. You are its author and hear of it too."
        ),
    )
    attachments = _files(_("Files"))

    def __init__(self, *args: Any, workspace: Workspace, author: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["state"]
        self.offer_people(workspace)
        self.watching = {
            str(person.pk): person for person in queries.members(workspace) if person.pk != author.pk
        }
        watchers = self.fields["watchers"]
        assert isinstance(watchers, forms.MultipleChoiceField)
        watchers.choices = [(key, person.name) for key, person in self.watching.items()]
        if not self.watching:
            del self.fields["watchers"]

    def clean_watchers(self) -> list[Person]:
        return [self.watching[key] for key in self.cleaned_data["watchers"]]


class EditItemForm(ItemFields):
    """`seen` carries what the person saw when they opened the form (see editing.py)."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=10_000)

    def __init__(self, *args: Any, item: Item, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_people(item.workspace, item)


class CommentForm(forms.Form):
    text = forms.CharField(
        label=_("Your comment"),
        required=False,
        max_length=MAX_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "data-submit": True}),
    )
    state = forms.ChoiceField(label=_("State"), required=False)
    attachments = _files(_("Files"))

    def __init__(self, *args: Any, item: Item, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["state"]
        assert isinstance(field, forms.ChoiceField)
        self.fields["attachments"].help_text = ""  # the form stands in the thread: no room for explanations
        others = [choice for choice in Item.State.choices if choice[0] != item.state]
        field.choices = [("", pgettext_lazy("state of an item", "as it is")), *others]


class FilterForm(forms.Form):
    """The list's filter; what does not fit counts as not chosen, so that an old address still works."""

    q = forms.CharField(
        label=_("Find"), required=False, max_length=200, widget=forms.TextInput(attrs={"type": "search"})
    )
    workspace = forms.ChoiceField(label=_("Workspace"), required=False)
    state = forms.ChoiceField(label=_("State"), required=False)
    responsible = forms.ChoiceField(label=_("Responsible"), required=False)
    order = forms.ChoiceField(label=_("Sorted by"), required=False)

    def __init__(
        self, data: Any, *, person: Person, workspaces: list[Workspace], people: list[Person]
    ) -> None:
        super().__init__(data)
        offered: dict[str, list[tuple[Any, Any]]] = {
            "workspace": [("", _("All")), *((str(row.pk), row.name) for row in workspaces)],
            "state": [
                ("", pgettext_lazy("state of items", "Open and in progress")),
                ("all", pgettext_lazy("state of items", "All")),
                *Item.State.choices,
            ],
            "responsible": [
                ("", _("Anybody")),
                ("me", _("Me")),
                *((str(row.pk), row.name) for row in people if row.pk != person.pk),
            ],
            "order": [
                ("", _("Last change")),
                ("due", _("Due")),
                ("-priority", _("Priority")),
                ("title", _("Title")),
                ("-number", _("Newest")),
            ],
        }
        for name, choices in offered.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices
