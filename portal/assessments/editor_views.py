"""Pages in which a coordinator makes the questionnaire of a team."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.queries import coordinated_by, signed_in
from portal.assessments import blueprint, editing, queries, versions
from portal.assessments.editor_forms import (
    DomainForm,
    DraftForm,
    ImportForm,
    PartForm,
    QuestionForm,
    initial_of,
)
from portal.assessments.models import Domain, Question, Questionnaire
from portal.web.fragments import go_to

DIRECTIONS = {"subir": editing.UP, "bajar": editing.DOWN}


@require_safe
def questionnaires(request: HttpRequest) -> HttpResponse:
    """What each team that one coordinates uses, its draft and its versions."""
    teams = [
        {
            "team": team,
            "in_use": queries.in_use(team.pk),
            "draft": team.questionnaires.filter(published_at=None).first(),
            "versions": team.questionnaires.exclude(published_at=None).order_by("-published_at"),
        }
        for team in coordinated_by(signed_in(request))
    ]
    return render(request, "assessments/questionnaires.html", {"teams": teams})


@require_safe
def questionnaire(request: HttpRequest, pk: int) -> HttpResponse:
    """To be changed, if it is a draft of one's team; else to be read."""
    employee = signed_in(request)
    found = get_object_or_404(queries.questionnaires_visible_to(employee), pk=pk)
    plan = blueprint.of(found)
    editable = found.published_at is None
    places = {q.slug: f"#pregunta-{q.pk}" for q in queries.all_of(found)}
    context = {
        "questionnaire": found,
        "editable": editable,
        "domains": found.domains.prefetch_related("questions"),
        "problems": [
            {"problem": problem, "place": places.get(problem.slug, "")}
            for problem in (blueprint.check(plan) if editable else [])
        ],
        "question_count": sum(1 for q in plan.questions if q.kind != blueprint.Kind.NOTE),
    }
    return render(request, "assessments/questionnaire.html", context)


@require_safe
def export(request: HttpRequest, pk: int) -> HttpResponse:
    from portal.assessments.xlsform import writing  # a second that only this page needs

    found = get_object_or_404(queries.questionnaires_visible_to(signed_in(request)), pk=pk)
    content = writing.write(blueprint.of(found), version=found.version)
    name = f"{found.slug}-v{found.version}.xlsx"
    return HttpResponse(
        content,
        content_type=writing.CONTENT_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_POST
def start(request: HttpRequest, team: int) -> HttpResponse:
    employee = signed_in(request)
    found = get_object_or_404(coordinated_by(employee), pk=team)
    return go_to(request, _address(versions.start_draft(team=found, employee=employee)))


@require_http_methods(["GET", "HEAD", "POST"])
def import_file(request: HttpRequest, team: int) -> HttpResponse:
    """Make the team's draft of an XLSForm workbook."""
    # a second that only this page needs
    from portal.assessments.xlsform import reading
    from portal.assessments.xlsform.bounds import NotAForm

    employee = signed_in(request)
    found = get_object_or_404(coordinated_by(employee), pk=team)
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    problems: tuple[str, ...] = ()
    if request.method == "POST" and form.is_valid():
        try:
            imported = reading.read(form.content)
        except NotAForm as error:
            problems = error.problems
        else:
            draft = versions.start_draft(team=found, employee=employee, plan=imported.plan)
            messages.success(request, _("El cuestionario se ha importado como borrador."))
            for notice in imported.notices:
                messages.warning(request, notice)
            return go_to(request, _address(draft))
    context = {
        "title": _("Importar un cuestionario"),
        "team": found,
        "form": form,
        "problems": problems,
        "draft": found.questionnaires.filter(published_at=None).first(),
    }
    status = 422 if problems or form.errors else 200
    return render(request, "assessments/import.html", context, status=status)


@require_POST
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    draft = _draft(request, pk)
    try:
        versions.publish(draft=draft)
    except ValidationError as error:
        for text in error.messages[:5]:
            messages.error(request, text)
        return go_to(request, _address(draft))
    messages.success(request, _("Publicado: las fichas nuevas lo usan desde ahora."))
    return go_to(request, reverse("assessments:questionnaires"))


@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    draft = _draft(request, pk)
    page = reverse("assessments:questionnaires")
    return _changed(request, lambda: versions.discard(draft=draft), page)


@require_http_methods(["GET", "HEAD", "POST"])
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    draft = _draft(request, pk)
    form = DraftForm(request.POST or None, initial={"name": draft.name})

    def save() -> str:
        editing.rename(draft=draft, name=blueprint.clean(form.cleaned_data["name"]))
        return ""

    return _dialog(request, draft, form, save, title=_("Cambiar el nombre"))


@require_http_methods(["GET", "HEAD", "POST"])
def new_domain(request: HttpRequest, pk: int) -> HttpResponse:
    draft = _draft(request, pk)
    initial = {"colour": editing.next_colour(draft)}
    return _domain_dialog(request, draft, None, initial, title=_("Añadir un ámbito"))


@require_http_methods(["GET", "HEAD", "POST"])
def domain(request: HttpRequest, pk: int) -> HttpResponse:
    found = _domain(request, pk)
    title = _("Cambiar el ámbito")
    return _domain_dialog(request, found.questionnaire, found, initial_of(found), title=title)


@require_POST
def move_domain(request: HttpRequest, pk: int) -> HttpResponse:
    found = _domain(request, pk)
    by = DIRECTIONS.get(request.POST.get("to", ""))
    if by is None:
        return HttpResponse(status=400)
    page = _address(found.questionnaire, f"#ambito-{found.pk}")
    return _changed(request, lambda: editing.move_domain(domain=found, by=by), page)


@require_POST
def delete_domain(request: HttpRequest, pk: int) -> HttpResponse:
    found = _domain(request, pk)
    page = _address(found.questionnaire)
    return _changed(request, lambda: editing.remove(part=found), page)


@require_http_methods(["GET", "HEAD", "POST"])
def new_question(request: HttpRequest, pk: int) -> HttpResponse:
    """At the end of the domain with that id."""
    found = _domain(request, pk)
    initial = {"domain": found.pk}
    title = _("Añadir una pregunta")
    return _question_dialog(request, found.questionnaire, None, initial, title=title)


@require_http_methods(["GET", "HEAD", "POST"])
def question(request: HttpRequest, pk: int) -> HttpResponse:
    found = _question(request, pk)
    draft = found.domain.questionnaire
    title = _("Cambiar la pregunta")
    return _question_dialog(request, draft, found, initial_of(found), title=title)


@require_POST
def move_question(request: HttpRequest, pk: int) -> HttpResponse:
    found = _question(request, pk)
    by = DIRECTIONS.get(request.POST.get("to", ""))
    if by is None:
        return HttpResponse(status=400)
    page = _address(found.domain.questionnaire, f"#pregunta-{found.pk}")
    return _changed(request, lambda: editing.move_question(question=found, by=by), page)


@require_POST
def delete_question(request: HttpRequest, pk: int) -> HttpResponse:
    found = _question(request, pk)
    page = _address(found.domain.questionnaire, f"#ambito-{found.domain_id}")
    return _changed(request, lambda: editing.remove(part=found), page)


def _draft(request: HttpRequest, pk: int) -> Questionnaire:
    return get_object_or_404(queries.drafts_of(signed_in(request)), pk=pk)


def _domain(request: HttpRequest, pk: int) -> Domain:
    drafts = queries.drafts_of(signed_in(request))
    found = Domain.objects.filter(questionnaire__in=drafts).select_related("questionnaire")
    return get_object_or_404(found, pk=pk)


def _question(request: HttpRequest, pk: int) -> Question:
    drafts = queries.drafts_of(signed_in(request))
    found = Question.objects.filter(domain__questionnaire__in=drafts)
    return get_object_or_404(found.select_related("domain__questionnaire"), pk=pk)


def _address(found: Questionnaire, place: str = "") -> str:
    return reverse("assessments:questionnaire", args=[found.pk]) + place


def _changed(request: HttpRequest, change: Callable[[], None], page: str) -> HttpResponse:
    """Make the change and show the page, or say that a colleague has published it meanwhile."""
    try:
        change()
    except ValidationError as error:
        messages.error(request, error.messages[0])
        page = reverse("assessments:questionnaires")
    return go_to(request, page)


def _domain_dialog(
    request: HttpRequest,
    draft: Questionnaire,
    found: Domain | None,
    initial: dict[str, Any],
    *,
    title: str,
) -> HttpResponse:
    form = DomainForm(request.POST or None, initial=initial, domain=found)

    def save() -> str:
        name = blueprint.clean(form.cleaned_data["name"])
        rest = {part: form.cleaned_data[part] for part in ("seen", "colour", "icon")}
        saved = editing.save_domain(draft=draft, domain=found, name=name, **rest)
        return f"#ambito-{saved.pk}"

    return _dialog(request, draft, form, save, title=title)


def _question_dialog(
    request: HttpRequest,
    draft: Questionnaire,
    found: Question | None,
    initial: dict[str, Any],
    *,
    title: str,
) -> HttpResponse:
    form = QuestionForm(request.POST or None, initial=initial, draft=draft, question=found)

    def save() -> str:
        planned = form.planned()
        given = {part: form.cleaned_data[part] for part in ("seen", "domain")}
        saved = editing.save_question(question=found, planned=planned, **given)
        return f"#pregunta-{saved.pk}"

    return _dialog(request, draft, form, save, title=title, question=found)


def _dialog(
    request: HttpRequest,
    draft: Questionnaire,
    form: forms.Form,
    save: Callable[[], str],
    **context: Any,
) -> HttpResponse:
    """A form over the page of a draft; ``save`` gives the place in it that has changed."""
    if request.method == "POST" and form.is_valid():
        try:
            return go_to(request, _address(draft, save()))
        except ValidationError as error:
            for text in error.messages:
                form.add_error(None, text)
            if isinstance(error, editing.Changed) and isinstance(form, PartForm):
                context["newer"] = form.compare(error.now)
    context |= {"form": form, "draft": draft}
    status = 422 if form.errors else 200
    return render(request, "assessments/part_dialog.html", context, status=status)
