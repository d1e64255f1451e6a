from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, ModelSchema, Query, Router, Schema, Status
from ninja.pagination import paginate
from pydantic import field_validator

from portal.accounts.queries import signed_in
from portal.participants import queries, services
from portal.participants.consent import languages
from portal.participants.models import Consent, Participant
from portal.web.pagination import Pagination

router = Router()


class ParticipantOut(ModelSchema):
    team: str = Field(alias="team.name")

    class Meta:
        model = Participant
        fields = ["id", "name", "email", "phone", "created_at", "last_interaction_at"]


class ParticipantIn(Schema):
    name: str
    email: str
    phone: str = ""
    team: int | None = Field(None, description="needed only by those who work in several teams")


class ParticipantPatch(Schema):
    name: str | None = None
    email: str | None = None
    phone: str | None = None


class ConsentIn(Schema):
    language: str = "es"
    record: bool
    analyse: bool
    share: bool = False
    external: bool = False

    @field_validator("language")
    @classmethod
    def _has_a_wording(cls, value: str) -> str:
        if value not in dict(languages()):
            raise ValueError("there is no wording in this language")
        return value


class ConsentOut(ModelSchema):
    class Meta:
        model = Consent
        fields = [
            "id", "wording", "language", "record", "analyse", "share", "external", "given_at",
            "withdrawn_at",
        ]  # fmt: skip


class Filters(Schema):
    filter: str = ""
    sort: queries.Sort = queries.Sort.LAST_INTERACTION


@router.get("/participants", response=list[ParticipantOut])
@paginate(Pagination)
def list_participants(request: HttpRequest, filters: Query[Filters]) -> object:
    found = queries.listed(signed_in(request), text=filters.filter, sort=filters.sort)
    return found.select_related("team")


@router.post("/participants", response={201: ParticipantOut})
def create_participant(request: HttpRequest, data: ParticipantIn) -> Status[Participant]:
    employee = signed_in(request)
    teams = employee.teams.all()
    team = get_object_or_404(teams, pk=data.team) if data.team else services.only_team(employee)
    made = services.create_participant(
        employee=employee, team=team, name=data.name, email=data.email, phone=data.phone
    )
    return Status(201, made)


@router.get("/participants/{uuid:participant_id}", response=ParticipantOut)
def read_participant(request: HttpRequest, participant_id: UUID) -> Participant:
    return get_object_or_404(queries.visible_to(signed_in(request)), pk=participant_id)


@router.patch("/participants/{uuid:participant_id}", response=ParticipantOut)
def update_participant(
    request: HttpRequest, participant_id: UUID, data: ParticipantPatch
) -> Participant:
    participant = get_object_or_404(queries.visible_to(signed_in(request)), pk=participant_id)
    return services.update_participant(
        participant=participant,
        name=participant.name if data.name is None else data.name,
        email=participant.email if data.email is None else data.email,
        phone=participant.phone if data.phone is None else data.phone,
    )


@router.post("/participants/{uuid:participant_id}/consents", response={201: ConsentOut})
def record_consent(request: HttpRequest, participant_id: UUID, data: ConsentIn) -> Status[Consent]:
    employee = signed_in(request)
    participant = get_object_or_404(queries.visible_to(employee), pk=participant_id)
    made = services.record_consent(
        participant=participant,
        employee=employee,
        language=data.language,
        record=data.record,
        analyse=data.analyse,
        share=data.share,
        external=data.external,
    )
    return Status(201, made)
