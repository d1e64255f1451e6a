"""Form fields drawn the same way everywhere: label, control, help, errors."""

from __future__ import annotations

from typing import Any

from django import forms, template

register = template.Library()


@register.inclusion_tag("web/field.html")
def field(bound: forms.BoundField, label: str = "", **attrs: Any) -> dict[str, Any]:
    """{% field form.name label="…" autocomplete="off" %}

    ``label`` replaces the field's own; ``attrs`` go to the control, with ``_`` for ``-``.
    """
    widget = bound.field.widget
    if isinstance(widget, forms.CheckboxInput):
        kind = "form-check-input"
    elif isinstance(widget, forms.Select):
        kind = "form-select"
    else:
        kind = "form-control"
    classes = f"{kind} is-invalid" if bound.errors else kind
    named = {name.replace("_", "-"): value for name, value in attrs.items()}
    # The label says it already, and goes on saying it once something is written.
    widget.attrs.pop("placeholder", None)
    return {
        "field": bound,
        "label": label or bound.label,
        "checkbox": kind == "form-check-input",
        "control": bound.as_widget(attrs={"class": classes, **named}),
        "optional": not bound.field.required and kind != "form-check-input",
    }
