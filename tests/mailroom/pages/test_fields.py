from __future__ import annotations

from django import forms
from django.utils.safestring import mark_safe
from django.utils.translation import override

from depesche.mailroom.pages.fields import paragraphs, render_errors, render_field


class SampleForm(forms.Form):
    host = forms.CharField(label="Host <x>", help_text="First & best.\n\nSecond.")
    port = forms.IntegerField(label="Port")
    mode = forms.ChoiceField(label="Mode", widget=forms.RadioSelect, choices=[("a", "A"), ("b", "B")])
    on = forms.BooleanField(label="On", required=False, help_text="Why")
    who = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, required=False, choices=[("1", "<i>")]
    )
    secret = forms.CharField(widget=forms.HiddenInput, required=False)


SampleForm.base_fields["mode"].consequences = {"a": "breaks <b>"}  # type: ignore[attr-defined]  # read by fields.py


def test_plain_field_ties_label_control_and_explanation() -> None:
    html = render_field(SampleForm()["host"], below="Default: <25>")
    assert '<label class="label" for="id_host">Host &lt;x&gt;</label>' in html
    assert 'aria-describedby="id_host-why"' in html
    assert '<div class="why" id="id_host-why"><p>First &amp; best.</p><p>Second.</p></div>' in html
    assert '<div class="below">Default: &lt;25&gt;</div>' in html
    assert "data-invalid" not in html


def test_invalid_field_says_so_in_three_places() -> None:
    form = SampleForm({"port": "x", "mode": "a", "host": "<script>"})
    html = render_field(form["port"])
    assert "data-invalid" in html
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_port-error"' in html
    assert 'id="id_port-error"' in html
    assert "&lt;script&gt;" in render_field(form["host"])
    assert "<script>" not in render_field(form["host"])


def test_radio_choices_are_a_group_with_their_consequences() -> None:
    html = render_field(SampleForm(initial={"mode": "b"})["mode"])
    assert 'role="radiogroup" aria-labelledby="id_mode-label"' in html
    assert "breaks &lt;b&gt;" in html
    assert html.count("<input") == 2
    assert html.count("checked") == 1


def test_tick_boxes() -> None:
    html = render_field(SampleForm()["on"])
    assert html.count("On") == 1
    assert 'class="field tick"' in html
    many = render_field(SampleForm()["who"])
    assert "&lt;i&gt;" in many
    assert 'role="group"' in many


def test_hidden_field_is_only_its_input() -> None:
    assert render_field(SampleForm()["secret"]).startswith("<input")


def test_error_summary_links_each_field_and_takes_the_focus() -> None:
    form = SampleForm({"port": "x"})
    with override("en"):
        html = render_errors(form, kept="The password <was> kept.")
    assert "Not saved: 3 fields need a correction" in html
    assert 'href="#id_host"' in html
    assert 'href="#id_mode_0"' in html
    assert "data-focus" in html
    assert "&lt;was&gt;" in html
    assert render_errors(SampleForm()) == ""
    assert render_errors(SampleForm({"host": "a", "port": "1", "mode": "a"})) == ""


def test_summary_of_the_whole_form() -> None:
    form = SampleForm({"host": "a", "port": "1", "mode": "a"})
    form.add_error(None, "Nothing fits <here>")
    with override("de"):
        html = render_errors(form)
    assert "Nicht gespeichert" in html
    assert "Nothing fits &lt;here&gt;" in html


def test_paragraphs() -> None:
    assert paragraphs("a\n\nb <c>") == "<p>a</p><p>b &lt;c&gt;</p>"
    assert paragraphs(mark_safe("<b>a</b>")) == "<p><b>a</b></p>"
    assert paragraphs(mark_safe("<p>x</p>")) == "<p>x</p>"
    assert paragraphs("<p>x</p>") == "<p>&lt;p&gt;x&lt;/p&gt;</p>"
