"""Who may take which fichas away, and what then leaves the portal."""

from __future__ import annotations

import csv
import io
import json
import logging
from typing import Any

import openpyxl
import pypdf
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from conftest import Cast
from portal.accounts.models import Employee, Membership, Team
from portal.assessments import services
from portal.assessments.exports import formats, pdf, reading
from portal.assessments.exports.formats import Format
from portal.assessments.models import Answer, Domain, Question, Questionnaire, Sheet
from portal.conversations.models import Conversation
from portal.participants.models import Consent, Participant

# It says that it is not read piece by piece here, which only an asynchronous server does.
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")

FICHAS = "/fichas/descargar/"


@pytest.fixture
def filled(filled: Sheet, cast: Cast) -> Sheet:
    """With one answer by a person."""
    answer = filled.answers.get(question__slug="nacionalidad")
    services.edit_answer(answer=answer, employee=cast.owner, value="=No")
    return filled


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


@pytest.fixture
def coordinator(cast: Cast) -> Client:
    return cast.client(cast.coordinator)


def one(participant: Participant, chosen: str) -> str:
    return f"/personas/{participant.pk}/ficha/descargar/{chosen}/"


def all_of(team: Team, chosen: str, names: str = "") -> str:
    return f"{FICHAS}?equipo={team.pk}&formato={chosen}{names}"


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def another(cast: Cast, name: str, team: Team | None = None) -> Sheet:
    """A person with a conversation and an empty ficha."""
    person = Participant.objects.create(
        team=team or cast.team, name=name, email="x@example.org", created_by=cast.owner
    )
    consent = Consent.objects.create(
        participant=person,
        wording="¿?",
        language="es",
        record=True,
        analyse=True,
        recorded_by=cast.owner,
    )
    Conversation.objects.create(
        participant=person, consent=consent, created_by=cast.owner, engine="local"
    )
    return services.sheet_for(person)


def test_one_ficha_leaves_in_every_format(client: Client, filled: Sheet) -> None:
    person = filled.participant
    day = timezone.localdate()
    contents = {}
    for chosen in Format:
        response = client.get(one(person, chosen))
        assert response.status_code == 200
        assert response["Content-Type"] == formats.CONTENT_TYPES[chosen]
        assert response["Content-Disposition"] == (
            f"attachment; filename*=utf-8''{day}%20F%C3%A1tima%20Belkacem%20-%20ficha"
            f"{formats.SUFFIXES[chosen]}"
        )
        contents[chosen] = response.content
    text = pypdf.PdfReader(io.BytesIO(contents[Format.PDF])).pages[0].extract_text()
    assert "«calle Olmo» — entrevista 1, 0:11" in " ".join(text.split())
    (row,) = rows(contents[Format.CSV])
    assert row["_nombre"] == "Fátima Belkacem"
    assert (row["empadronamiento"], row["empadronamiento__origen"]) == ("Sí, en Olmo", "machine")
    assert (row["nacionalidad"], row["nacionalidad__origen"]) == ("'=No", "person")
    assert row["ingresos__estado"] == "declined"
    book = openpyxl.load_workbook(io.BytesIO(contents[Format.XLSX]))
    assert book.worksheets[0]["B2"].value == "Fátima Belkacem"
    form, filled_in = json.loads(contents[Format.FHIR])["entry"]
    assert len(filled_in["resource"]["item"]) == len(form["resource"]["item"]) == 7
    api = client.get(f"/api/v1/participants/{person.pk}/sheet/export/csv")
    assert api.content == contents[Format.CSV]
    assert client.get(one(person, "doc")).status_code == 404


def test_what_a_person_accepted_is_no_proposal(client: Client, filled: Sheet, cast: Cast) -> None:
    filled.answers.filter(question__slug="empadronamiento").update(
        reviewed_by=cast.owner, reviewed_at=timezone.now()
    )
    (row,) = rows(client.get(one(filled.participant, "csv")).content)
    assert row["empadronamiento__origen"] == "reviewed"


def test_what_is_no_longer_agreed_to_stays_here(client: Client, filled: Sheet) -> None:
    """What somebody of the office wrote does leave, without the words that it came from."""
    answer = filled.answers.get(question__slug="empadronamiento")
    services.edit_answer(answer=answer, employee=answer.sheet.participant.created_by, value="Sí")
    Consent.objects.update(withdrawn_at=timezone.now())
    (row,) = rows(client.get(one(filled.participant, "csv")).content)
    assert (row["ingresos"], row["ingresos__estado"]) == ("", "withheld")
    assert row["empadronamiento"] == "Sí"
    fhir = client.get(one(filled.participant, "fhir")).content.decode()
    assert "masked" in fhir
    text = (
        pypdf.PdfReader(io.BytesIO(client.get(one(filled.participant, "pdf")).content))
        .pages[0]
        .extract_text()
    )
    for content in (fhir, text):
        assert "calle Olmo" not in content
        assert "no hablar" not in content


def test_there_is_nothing_before_the_first_conversation(
    client: Client, participant: Participant
) -> None:
    page = client.get(one(participant, "csv"), follow=True)
    assert "todavía no hay nada que llevarse" in page.content.decode()
    refused = client.get(f"/api/v1/participants/{participant.pk}/sheet/export/csv")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_sheet")
    assert not Sheet.objects.exists()


def test_without_pango_the_menu_says_why_and_the_rest_is_offered(
    client: Client, filled: Sheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "problem", lambda: "libpango-1.0.so.0")
    person = filled.participant
    menu = client.get(f"/personas/{person.pk}/ficha/").content.decode()
    assert "falta una pieza del sistema (Pango)" in menu
    assert one(person, "pdf") not in menu
    assert one(person, "xlsx") in menu
    page = client.get(one(person, "pdf"), follow=True)
    assert "falta una pieza del sistema" in page.content.decode()
    refused = client.get(f"/api/v1/participants/{person.pk}/sheet/export/pdf")
    assert (refused.status_code, refused.json()["code"]) == (503, "no_pdf")


def test_a_whole_team_leaves_by_key_and_by_name_only_when_asked(
    coordinator: Client, filled: Sheet, cast: Cast
) -> None:
    another(cast, "Bea Anón")
    another(cast, "Zoe Otra Oficina", cast.other_team)
    nameless = b"".join(coordinator.get(all_of(cast.team, "csv")))
    assert [row["nacionalidad__estado"] for row in rows(nameless)] == ["unasked", "answered"]
    assert "Bea" not in nameless.decode()
    named = b"".join(coordinator.get(all_of(cast.team, "csv", "&nombres=on")))
    assert [row["_nombre"] for row in rows(named)] == ["Bea Anón", "Fátima Belkacem"]
    api = coordinator.get(f"/api/v1/teams/{cast.team.pk}/sheets/export/csv?names=true")
    assert b"".join(api) == named
    xlsx = coordinator.get(all_of(cast.team, "xlsx", "&nombres=on"))
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx.content)).worksheets[0]
    assert [cell.value for cell in sheet["B"]] == ["_nombre", "Bea Anón", "Fátima Belkacem"]
    fhir = b"".join(coordinator.get(all_of(cast.team, "fhir", "&nombres=on"))).decode()
    assert len(json.loads(fhir)["entry"]) == 3
    assert "Bea" not in fhir
    assert coordinator.head(all_of(cast.team, "csv")).content == b""


def test_fichas_of_two_versions_are_one_table(
    coordinator: Client, filled: Sheet, cast: Cast
) -> None:
    newer = Questionnaire.objects.create(
        team=cast.team, slug="nuevo", name="Nuevo", published_at=timezone.now()
    )
    domain = Domain.objects.create(
        questionnaire=newer, slug="d", name="D", colour="teal", icon="x", position=0
    )
    for position, slug in enumerate(("nacionalidad", "mascotas")):
        Question.objects.create(
            domain=domain, slug=slug, text=slug, kind="integer", position=position
        )
    sheet = another(cast, "Bea Anón")
    Answer.objects.filter(sheet=sheet, question__slug="mascotas").update(
        state="answered", value="dos", typed=2, origin="person"
    )
    first, second = rows(b"".join(coordinator.get(all_of(cast.team, "csv"))))
    assert (first["_cuestionario"], first["mascotas"], first["ingresos"]) == ("nuevo", "2", "")
    assert (second["_cuestionario"], second["mascotas__estado"]) == ("acogida", "")
    assert list(first)[8:10] == ["nacionalidad", "mascotas"]
    forms = json.loads(b"".join(coordinator.get(all_of(cast.team, "fhir"))))["entry"][:2]
    assert [form["resource"]["title"] for form in forms] == ["Nuevo", "Acogida y valoración"]


def test_a_question_whose_condition_does_not_hold_is_left_out(
    client: Client, filled: Sheet
) -> None:
    question = Question.objects.get(slug="estado_salud")
    for condition, state in (("${ingresos} = 'x'", ""), ("not(${ingresos} = 'x')", "unasked")):
        question.relevant = condition
        question.save()
        (row,) = rows(client.get(one(filled.participant, "csv")).content)
        assert row["estado_salud__estado"] == state


def test_what_is_left_of_an_earlier_version_leaves_too(
    client: Client, coordinator: Client, filled: Sheet, cast: Cast
) -> None:
    newer = Questionnaire.objects.create(
        team=cast.team, slug="nuevo", name="Nuevo", version=2, published_at=timezone.now()
    )
    Domain.objects.create(
        questionnaire=newer, slug="d", name="D", colour="teal", icon="x", position=0
    ).questions.create(slug="mascotas", text="¿Mascotas?", position=0)
    Sheet.objects.update(questionnaire=newer)
    person = filled.participant
    one_row = client.get(one(person, "csv")).content
    for (row,) in (rows(one_row), rows(b"".join(coordinator.get(all_of(cast.team, "csv"))))):
        assert (row["_cuestionario"], row["mascotas__estado"]) == ("nuevo", "unasked")
        assert (row["empadronamiento"], row["estado_salud__estado"]) == ("Sí, en Olmo", "")
    text = pypdf.PdfReader(io.BytesIO(client.get(one(person, "pdf")).content))
    printed = " ".join(text.pages[0].extract_text().split())
    assert "De la versión 1 del cuestionario" in printed
    assert "«calle Olmo» — entrevista 1, 0:11" in printed
    assert len(json.loads(client.get(one(person, "fhir")).content)["entry"]) == 4


def test_only_one_s_own_teams_can_be_chosen(coordinator: Client, filled: Sheet, cast: Cast) -> None:
    another(cast, "Zoe Otra Oficina", cast.other_team)
    page = coordinator.get(all_of(cast.other_team, "csv"))
    assert page.status_code == 422
    assert "Zoe" not in page.content.decode()
    assert coordinator.get(all_of(cast.team, "pdf")).status_code == 422
    api = coordinator.get(f"/api/v1/teams/{cast.other_team.pk}/sheets/export/csv")
    assert api.status_code == 404
    assert coordinator.get(f"/api/v1/teams/{cast.team.pk}/sheets/export/pdf").status_code == 422


def test_a_coordinator_who_left_the_portal_gets_nothing(cast: Cast, filled: Sheet) -> None:
    assert list(reading.sheets_of(cast.coordinator, cast.team)) == [filled]
    Employee.objects.filter(pk=cast.coordinator.pk).update(is_active=False)
    cast.coordinator.refresh_from_db()
    assert not reading.sheets_of(cast.coordinator, cast.team).exists()


def test_a_team_without_fichas_is_told(coordinator: Client, cast: Cast) -> None:
    page = coordinator.get(all_of(cast.team, "csv"))
    assert page.status_code == 422
    assert "todavía no hay ninguna ficha" in page.content.decode()
    refused = coordinator.get(f"/api/v1/teams/{cast.team.pk}/sheets/export/csv")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_sheets")


def test_the_list_offers_it_to_coordinators_alone(
    client: Client, coordinator: Client, participant: Participant
) -> None:
    assert FICHAS in coordinator.get("/personas/").content.decode()
    assert FICHAS not in client.get("/personas/").content.decode()
    assert "Con el nombre de cada persona" in coordinator.get(FICHAS).content.decode()


def test_queries_do_not_grow_with_people(
    coordinator: Client,
    filled: Sheet,
    cast: Cast,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(30):
        another(cast, f"Persona {number}")
    team, employee = cast.team, cast.coordinator
    for chosen in formats.OF_TEAMS:
        with django_assert_max_num_queries(8):
            made = formats.of_team(employee=employee, team=team, chosen=chosen, named=True)
            content = made.content if isinstance(made.content, bytes) else b"".join(made.content)
        assert content


def test_the_log_says_what_left_and_names_nobody(
    client: Client, coordinator: Client, filled: Sheet, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        client.get(one(filled.participant, "pdf"))
        b"".join(coordinator.get(all_of(cast.team, "csv", "&nombres=on")))
    assert f"ficha of {filled.participant_id} exported as pdf by employee" in caplog.text
    assert f"fichas of team {cast.team.pk} exported as csv with names by employee" in caplog.text
    for secret in ("Fátima", "Robles", "Olmo"):
        assert secret not in caplog.text


def test_a_coordinator_of_two_teams_chooses(coordinator: Client, filled: Sheet, cast: Cast) -> None:
    Membership.objects.create(
        team=cast.other_team, employee=cast.coordinator, role=Membership.Role.COORDINATOR
    )
    another(cast, "Zoe Otra Oficina", cast.other_team)
    found: Any = rows(b"".join(coordinator.get(all_of(cast.other_team, "csv", "&nombres=on"))))
    assert [row["_nombre"] for row in found] == ["Zoe Otra Oficina"]
