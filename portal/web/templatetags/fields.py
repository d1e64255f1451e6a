"""Form fields drawn the same way everywhere: label, control, help, errors."""

from __future__ import annotations

from typing import Any

from django import forms, template

register = template.Library()


@register.inclusion_tag("web/field.html")
def field(bound: forms.BoundField, **attrs: Any) -> dict[str, Any]:
    """``attrs`` go to the control, with ``_`` for ``-``: {% field form.name autocomplete="off" %}."""
    widget = bound.field.widget
    if isinstance(widget, forms.CheckboxInput):
        kind = "form-check-input"
    elif isinstance(widget, forms.Select):
        kind = "form-select"
    else:
        kind = "form-control"
    classes = f"{kind} is-invalid" if bound.errors else kind
    named = {name.replace("_", "-"): value for name, value in attrs.items()}
    # Ours is the text for a field left empty or wrong; the browser's own speaks its language.
    widget.attrs.pop("placeholder", None)
    return {
        "field": bound,
        "checkbox": kind == "form-check-input",
        "control": bound.as_widget(attrs={"class": classes, **named}),
        "optional": not bound.field.required and kind != "form-check-input",
    }
