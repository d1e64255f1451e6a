"""What holds for every search engine.

An engine's tests subclass this and give the fixtures ``backend`` and ``catch_up``, which waits
until what was written can be found.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from conftest import Cast
from portal.accounts.models import Employee
from portal.assessments import services as assessments
from portal.assessments.models import Answer
from portal.conversations.models import Conversation, Speaker, Transcript, Turn
from portal.corrections import redaction
from portal.inquiries.models import Inquiry
from portal.participants.models import Consent, Participant
from portal.search import queries
from portal.search.backends.base import Backend
from portal.search.questions import Filters, read
from portal.search.rebuilding import rebuild

SAID = (
    "Trabajo en la recolección de la fresa, sin contrato.",
    "Las evaluaciones médicas me las hizo el doctor Ibáñez.",
    "No tengo ingresos fijos. Escríbame a fatima.bel@example.org, por favor.",
    "Tengo dos hijos y no pago el alquiler desde marzo.",
    "<b>Mañana</b> iré a empadronarme & a preguntar por la ayuda.",
)


class Office:
    """One person with one conversation, and how to look for things there."""

    def __init__(self, cast: Cast, participant: Participant, consent: Consent) -> None:
        self.cast = cast
        self.participant = participant
        self.consent = consent
        self.conversation = Conversation.objects.create(
            participant=participant,
            consent=consent,
            created_by=cast.owner,
            engine="local",
            title="Alquiler y trabajo en el campo",
            description="Pide ayuda con el alquiler.",
        )
        self.turns = self.say(*SAID)

    def say(self, *lines: str) -> list[Turn]:
        transcript = Transcript.objects.create(
            conversation=self.conversation, engine="local", model="x", language="es", duration=60.0
        )
        speaker = Speaker.objects.create(transcript=transcript, label="S1", role="usuario")
        return Turn.objects.bulk_create(
            Turn(
                transcript=transcript,
                speaker=speaker,
                position=position,
                start=position * 5.0,
                end=position * 5.0 + 4,
                text=line,
            )
            for position, line in enumerate(lines)
        )

    def groups(
        self, text: str, *, employee: Employee | None = None, **filters: Any
    ) -> tuple[queries.Group, ...]:
        return queries.find(employee or self.cast.owner, read(text, Filters(**filters)))

    def found(self, text: str, *, employee: Employee | None = None, **filters: Any) -> set[str]:
        """Kinds of which something is found."""
        return {g.source.kind for g in self.groups(text, employee=employee, **filters)}

    def heard(self, text: str, **asked: Any) -> list[int]:
        """Positions of the turns that are found, the best first."""
        return [
            f.thing.position
            for group in self.groups(text, **asked)
            if group.source.kind == "turn"
            for f in group.found
        ]


class SearchBackendContract:
    @pytest.fixture
    def backend(self) -> Backend:
        raise NotImplementedError

    @pytest.fixture
    def catch_up(self) -> Callable[[], None]:
        raise NotImplementedError

    @pytest.fixture
    def office(
        self,
        backend: Backend,
        catch_up: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
        cast: Cast,
        participant: Participant,
        consent: Consent,
    ) -> Office:
        monkeypatch.setattr(queries, "get_backend", lambda: backend)
        made = Office(cast, participant, consent)
        catch_up()
        return made

    @pytest.mark.parametrize(
        ("text", "positions"),
        [
            ("contrato", [0]),
            ("contratos", [0]),
            ("recoleccion", [0]),
            ("recolección", [0]),
            ("evaluacion", [1]),
            ("evaluación", [1]),
            ("EVALUACIONES", [1]),
            ("evaluaci", [1]),
            ("ibañez", [1]),
            ("ibane", [1]),
            ("manana", [4]),
            ("empadr", [4]),
            ("empadr ", []),
            ("hijo alquileres", [3]),
            ("hijo contrato", []),
            ("fresa co", [0]),
            ("marzo 2", []),
            ("de la fresa", [0]),
            ("tengo -alquiler", [2]),
            ('tengo -"dos hijos"', [2]),
            ('"no tengo"', [2]),
            ('"no pago" marzo', [3]),
            ('"tengo no"', []),
            ('"la fres"', []),
            ("fatima.bel@example.org", [2]),
            ("zapato", []),
        ],
    )
    def test_words_as_people_type_them(
        self, office: Office, text: str, positions: list[int]
    ) -> None:
        assert office.heard(text) == positions

    @pytest.mark.parametrize(
        "text",
        ["", " ", '"', '""', "-", "-fresa", "'", "!", "&", "(", ":*", "a:b", "\\", "\x00", "%",
         "de", "*", '"no tengo', "<b>", "🙂", "x" * 500, "fresa " * 50, "'; select 1",
         "fresa:* & |"],
    )  # fmt: skip
    def test_nothing_that_is_typed_is_an_error(self, office: Office, text: str) -> None:
        office.groups(text)

    @pytest.mark.parametrize(
        "text",
        ["fatima", "Fátima Belkacem", "fatma", "belkasem", "fatma belkasem", "belk", "fatima@ex"],
    )
    def test_a_person_is_found_by_a_name_that_is_nearly_right(
        self, office: Office, text: str
    ) -> None:
        assert "person" in office.found(text)

    def test_a_word_that_was_said_is_not_taken_for_a_name(
        self, office: Office, catch_up: Callable[[], None]
    ) -> None:
        Participant.objects.filter(pk=office.participant.pk).update(name="Fermina Contreras")
        catch_up()
        assert office.found("contrato") == {"turn"}
        assert office.found("contrerras") == {"person"}

    def test_a_person_is_found_by_phone(self, office: Office, catch_up: Callable[[], None]) -> None:
        Participant.objects.filter(pk=office.participant.pk).update(phone="+34600111222")
        catch_up()
        for text in ("600111222", "600 11 12 22", "+34 600 111 222", "60011122"):
            assert office.found(text) == {"person"}, text
        assert not office.found("600111333")

    def test_people_conversations_and_answers_are_found(
        self, office: Office, catch_up: Callable[[], None]
    ) -> None:
        assert office.found("alquiler") == {"conversation", "turn"}
        self._answer(office, "Debe tres meses de alquiler")
        catch_up()
        assert office.found("alquileres") == {"conversation", "turn", "answer"}

    def test_what_was_asked_is_found_until_it_or_its_conversation_goes(
        self, office: Office, catch_up: Callable[[], None]
    ) -> None:
        asked = Inquiry.objects.create(
            participant=office.participant,
            conversation=office.conversation,
            question="¿Tiene zapatos?",
            asked_by=office.cast.owner,
        )
        catch_up()
        assert office.found("zapato") == {"inquiry"}
        assert not office.found("zapato", employee=office.cast.stranger)
        office.consent.withdrawn_at = timezone.now()
        office.consent.save()
        catch_up()
        assert not office.found("zapato")
        Inquiry.objects.filter(pk=asked.pk).update(conversation=None, question="¿Y botas?")
        catch_up()
        assert office.found("bota") == {"inquiry"}
        asked.delete()
        catch_up()
        assert not office.found("bota")

    def test_what_was_answered_is_found_until_its_proof_or_its_consent_goes(
        self, office: Office, catch_up: Callable[[], None]
    ) -> None:
        cast, conversation = office.cast, office.conversation
        other = Consent.objects.create(
            participant=office.participant, record=True, analyse=True, recorded_by=cast.owner
        )
        later = Conversation.objects.create(
            participant=office.participant, consent=other, created_by=cast.owner, engine="local"
        )
        asked = Inquiry.objects.create(
            participant=office.participant, question="¿Tiene zapatos?", asked_by=cast.owner
        )
        proof = {"quote": "No tengo ingresos fijos.", "start": 10.0, "end": 14.0}
        mine = asked.replies.create(
            conversation=conversation, answer="Unas alpargatas", evidence=[proof]
        )
        asked.replies.create(conversation=later, answer="Y un chubasquero")
        catch_up()
        assert office.found("alpargata zapato") == {"inquiry"}
        assert office.found("chubasquero") == {"inquiry"}
        assert not office.found("alpargata", employee=cast.stranger)
        (group,) = office.groups("alpargatas")
        _question, answer = group.found[0].marked
        assert answer == (("Unas ", False), ("alpargatas", True))
        other.withdrawn_at = timezone.now()
        other.save()
        catch_up()
        assert not office.found("chubasquero")
        assert office.found("alpargata") == {"inquiry"}
        mine.answer = "Unas botas"
        mine.save()
        catch_up()
        assert not office.found("alpargata")
        assert office.found("bota") == {"inquiry"}
        turn = office.turns[2]
        struck = redaction.strike(
            conversation=conversation, employee=cast.owner, start=turn.start, end=turn.end
        )
        catch_up()
        assert not office.found("bota")
        redaction.undo(redaction=struck, employee=cast.owner)
        catch_up()
        assert office.found("bota") == {"inquiry"}
        mine.delete()
        catch_up()
        assert not office.found("bota")
        assert office.found("zapato") == {"inquiry"}

    @staticmethod
    def _answer(office: Office, value: str) -> Answer:
        assessments.sheet_for(office.participant)
        answer = Answer.objects.filter(sheet__participant=office.participant).first()
        assert answer is not None
        Answer.objects.filter(pk=answer.pk).update(
            value=value, state="answered", conversation=office.conversation
        )
        return answer

    def test_nobody_finds_what_is_another_teams(self, office: Office) -> None:
        for text in ("fresa", "fatima", "fatma", "alquiler"):
            assert office.found(text, employee=office.cast.teammate)
            assert not office.found(text, employee=office.cast.stranger)

    def test_who_left_the_team_or_the_portal_finds_nothing(self, office: Office) -> None:
        office.cast.teammate.memberships.all().delete()
        assert not office.found("fresa", employee=office.cast.teammate)
        office.cast.coordinator.is_active = False
        assert not office.found("fresa", employee=office.cast.coordinator)

    def test_a_person_goes_to_another_team_with_everything(
        self, office: Office, catch_up: Callable[[], None]
    ) -> None:
        Participant.objects.filter(pk=office.participant.pk).update(team=office.cast.other_team)
        catch_up()
        for text in ("fresa", "fatima", "campo"):
            assert not office.found(text)
            assert office.found(text, employee=office.cast.stranger)

    def test_what_was_corrected_is_found_as_it_is_now(
        self, office: Office, catch_up: Callable[[], None]
    ) -> None:
        turn = office.turns[0]
        turn.text = "Trabajo en la vendimia."
        turn.save()
        catch_up()
        assert office.heard("vendimia") == [0]
        assert not office.found("fresa")

    def test_what_was_corrected_in_bulk_or_by_sql_alone_as_well(
        self, office: Office, catch_up: Callable[[], None]
    ) -> None:
        turns = office.turns[:2]
        for turn in turns:
            turn.text = "Vendimia"
        Turn.objects.bulk_update(turns, ["text"])
        Conversation.objects.filter(pk=office.conversation.pk).update(title="Otra cosa")
        catch_up()
        assert sorted(office.heard("vendimia")) == [0, 1]
        assert office.found("campo") == set()

    def test_what_is_deleted_is_found_no_more(
        self, office: Office, catch_up: Callable[[], None]
    ) -> None:
        answer = self._answer(office, "Vendimia")
        catch_up()
        assert office.found("vendimia") == {"answer"}
        Answer.objects.filter(pk=answer.pk).update(value="")
        office.turns[0].delete()
        catch_up()
        assert not office.found("vendimia")
        assert not office.found("fresa")
        office.participant.delete()
        catch_up()
        for text in ("fatima", "fatma", "alquiler", "hijos"):
            assert not office.found(text)

    def test_what_was_said_under_a_consent_goes_with_it(
        self, office: Office, catch_up: Callable[[], None]
    ) -> None:
        self._answer(office, "Vendimia")
        catch_up()
        office.consent.withdrawn_at = timezone.now()
        office.consent.save()
        office.turns[1].text = "Vendimia"
        office.turns[1].save()
        catch_up()
        for text in ("fresa", "alquiler", "vendimia"):
            assert not office.found(text)
        assert office.found("fatima") == {"person"}

    def test_what_is_struck_out_is_found_no_more_until_it_is_given_back(
        self, office: Office, catch_up: Callable[[], None]
    ) -> None:
        answer = self._answer(office, "La fresa")
        Inquiry.objects.create(
            participant=office.participant, question="¿Y la fresa?", asked_by=office.cast.owner
        )
        catch_up()
        assert office.found("fresa") == {"turn", "answer", "inquiry"}
        first = office.turns[0]
        struck = redaction.strike(
            conversation=office.conversation,
            employee=office.cast.owner,
            start=first.start,
            end=first.end,
            answers=[answer.pk],
        )
        catch_up()
        for text in ("fresa", "fres", "recolección", '"la fresa"'):
            assert not office.found(text), text
        assert office.heard("alquiler") == [3]
        redaction.undo(redaction=struck, employee=office.cast.owner)
        catch_up()
        assert office.found("fresa") == {"turn", "answer", "inquiry"}

    def test_matches_are_marked_and_nothing_else_is_changed(self, office: Office) -> None:
        (group,) = office.groups("mañana pregunta")
        (pieces,) = group.found[0].marked
        assert "".join(piece for piece, _ in pieces) == SAID[4]
        assert [piece for piece, is_mark in pieces if is_mark] == ["Mañana", "preguntar"]
        (group,) = office.groups('"no tengo"')
        (pieces,) = group.found[0].marked
        assert [piece for piece, is_mark in pieces if is_mark] == ["No tengo"]

    def test_filters_narrow_what_is_found(
        self, office: Office, catch_up: Callable[[], None]
    ) -> None:
        today = timezone.localdate()
        cast = office.cast
        assert office.heard("fresa", since=today, until=today) == [0]
        assert not office.found("fresa", until=today - timedelta(days=1))
        assert not office.found("fresa", since=date(2999, 1, 1))
        assert office.heard("fresa", brought_by=cast.owner.pk, participant=office.participant.pk)
        assert not office.found("fresa", brought_by=cast.teammate.pk)
        assert not office.found("fresa", participant=office.conversation.pk)
        assert not office.found("fresa", domain="personal")
        self._answer(office, "Sí")
        catch_up()
        assert office.heard("fresa", domain="personal") == [0]
        assert not office.found("fresa", domain="salud")

    def test_the_best_stand_first(self, office: Office, catch_up: Callable[[], None]) -> None:
        transcript = office.turns[0].transcript
        for position, text in ((10, "La fresa " + "y otras cosas " * 40), (11, "Fresa, fresa")):
            Turn.objects.create(
                transcript=transcript,
                speaker=office.turns[0].speaker,
                position=position,
                start=0,
                end=1,
                text=text,
            )
        catch_up()
        assert office.heard("fresa") == [11, 0, 10]

    def test_a_rebuilt_index_has_what_there_is_and_nothing_else(
        self, office: Office, backend: Backend, catch_up: Callable[[], None]
    ) -> None:
        rebuild(backend)
        rebuild(backend)
        assert office.heard("fresa") == [0]
        assert office.found("alquiler fatima") == set()
        assert office.found("alquiler") == {"conversation", "turn"}
        assert office.found("fatma") == {"person"}

    def test_nothing_is_missed_while_it_is_rebuilt_nor_when_that_is_interrupted(
        self, office: Office, backend: Backend, catch_up: Callable[[], None]
    ) -> None:
        def interrupt(kind: str, done: int, total: int) -> None:
            assert office.heard("fresa") == [0]
            if kind == "turn" and done:
                Turn.objects.filter(pk=office.turns[0].pk).update(text="Vendimia")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            rebuild(backend, told=interrupt)
        catch_up()
        assert office.heard("vendimia") == [0]
        kinds: list[str] = []
        rebuild(backend, told=lambda kind, done, total: kinds.append(kind))
        catch_up()
        assert "person" not in kinds
        assert office.heard("vendimia") == [0]
        assert not office.found("fresa")
