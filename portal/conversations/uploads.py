"""Receiving a file: the tus 1.0 protocol (core, creation, termination), https://tus.io.

What the browser sends and gets (tus-js-client 4: ``endpoint``, ``chunkSize`` 8 MB, ``metadata``,
``headers: {"X-CSRFToken": …}``). Every request but OPTIONS carries ``Tus-Resumable: 1.0.0``,
which the client does by itself, and the session's cookie.

``POST /subidas/`` (``conversations:uploads``)
    ``Upload-Length`` and ``Upload-Metadata`` with ``filename``, ``participant`` (UUID),
    ``consent`` (id), ``engine`` and, if fixed, ``language`` ("es"; "" or none: automatic) and
    ``speakers`` (how many people talk; none: 2).
    201, ``Location: /subidas/<uuid>/``, ``Upload-Offset: 0``.
``HEAD /subidas/<uuid>/`` (``conversations:upload-detail``)
    200, ``Upload-Offset``, ``Upload-Length``: how much is safely here.
``PATCH /subidas/<uuid>/``
    ``Content-Type: application/offset+octet-stream``, ``Upload-Offset``. 204, ``Upload-Offset``.
``DELETE /subidas/<uuid>/``
    204; what was received of an unfinished upload goes. A finished one cannot be undone here.
``OPTIONS``
    204 with ``Tus-Version``, ``Tus-Extension``, ``Tus-Max-Size``.
``GET /subidas/<uuid>/``
    JSON ``{"id", "filename", "size", "offset", "conversation"}``; ``conversation`` is null, or
    ``{"id", "url", "duplicate"}`` once the last byte is here.

The answer to the last PATCH, and to HEAD of a finished upload (in tus-js-client:
``onSuccess({lastResponse})``), also carries

    ``Portal-Conversation: <uuid>``, ``Portal-Conversation-Url: <its transcript page>`` and
    ``Portal-Duplicate: true`` when this very file was here already and nothing new was made.

Refusals are JSON ``{"code", "message"}`` (``error.originalResponse.getBody()``); ``message`` is a
sentence for the interviewer in the language of the page:

    400 ``bad_request``; 401 (plain text) nobody signed in; 404 ``not_found`` (also what is not
    theirs); 409 ``wrong_offset`` (with ``Upload-Offset``); 409 ``consent_missing``,
    ``consent_withdrawn``, ``consent_expired`` (only POST), ``engine_unavailable``, ``finished``
    (DELETE); 410 ``gone``; 412 ``version``; 413 ``too_large``; 415 ``content_type``;
    422 ``empty``, ``not_audio``, ``language``; 423 ``busy`` (another request is writing);
    507 ``disk_full`` (what came stays).
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate, ParamSpec
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.accounts.queries import signed_in
from portal.conversations import queries, services
from portal.conversations.errors import Refused
from portal.conversations.models import Upload
from portal.conversations.refusals import read_speakers
from portal.participants import queries as participants

VERSION = "1.0.0"
CONTENT_TYPE = "application/offset+octet-stream"


P = ParamSpec("P")


def tus(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Speak the protocol's version, and say refusals as JSON."""

    def wrapped(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            if request.method == "OPTIONS":
                response = HttpResponse(status=204)
                response["Tus-Version"] = VERSION
                response["Tus-Extension"] = "creation,termination"
                response["Tus-Max-Size"] = str(settings.ENV.upload_max_bytes)
                return response
            if request.method != "GET" and request.headers.get("Tus-Resumable") != VERSION:
                raise Refused(
                    "version",
                    _("La página es antigua. Recárguela y vuelva a subir el archivo."),
                    status=412,
                )
            response = view(request, *args, **kwargs)
        except Http404:
            response = _refusal(Refused("not_found", _("No se encuentra esa subida."), status=404))
        except Refused as refused:
            response = _refusal(refused)
        response["Tus-Resumable"] = VERSION
        response["Cache-Control"] = "no-store"
        return response

    update_wrapper(wrapped, view)
    return wrapped


@tus
def uploads(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _not_allowed("POST, OPTIONS")
    employee = signed_in(request)
    metadata = _metadata(request.headers.get("Upload-Metadata", ""))
    try:
        participant_id = UUID(metadata.get("participant", ""))
    except ValueError:
        raise _bad_request() from None
    participant = get_object_or_404(participants.visible_to(employee), pk=participant_id)
    upload = services.start_upload(
        employee=employee,
        participant=participant,
        consent=queries.consent_for_upload(participant, metadata.get("consent", "")),
        filename=metadata.get("filename", ""),
        size=_number(request, "Upload-Length"),
        engine=metadata.get("engine", ""),
        language=metadata.get("language", ""),
        speakers=read_speakers(metadata.get("speakers", "2")),
    )
    response = HttpResponse(status=201)
    response["Location"] = reverse("conversations:upload-detail", args=[upload.pk])
    response["Upload-Offset"] = "0"
    return response


@tus
def upload_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    upload = get_object_or_404(queries.uploads_visible_to(signed_in(request)), pk=pk)
    match request.method:
        case "HEAD":
            return _state(upload, HttpResponse())
        case "GET":
            return _state(upload, None)
        case "PATCH":
            return _append(request, upload)
        case "DELETE":
            services.cancel_upload(upload=upload)
            return HttpResponse(status=204)
        case _:
            return _not_allowed("HEAD, GET, PATCH, DELETE, OPTIONS")


def _append(request: HttpRequest, upload: Upload) -> HttpResponse:
    if request.content_type != CONTENT_TYPE:
        raise Refused(
            "content_type", _("La página no ha enviado el archivo como se esperaba."), status=415
        )
    offset = _number(request, "Upload-Offset")
    if upload.conversation_id is not None and offset == upload.size:
        return _state(upload, HttpResponse(status=204))  # the answer to the last one was lost
    try:
        upload = services.append(upload=upload, offset=offset, stream=request)
    except Refused as refused:
        response = _refusal(refused)
        upload.refresh_from_db(fields=["offset"])
        response["Upload-Offset"] = str(upload.offset)
        return response
    return _state(upload, HttpResponse(status=204))


def _state(upload: Upload, response: HttpResponse | None) -> HttpResponse:
    """``response``, or the upload as JSON, with where the upload stands. One that arrived whole
    is finished here, also when an earlier try broke off."""
    conversation = None
    if upload.offset == upload.size:
        made = services.finish(upload=upload)
        conversation = {
            "id": str(made.pk),
            "url": reverse("conversations:transcript", args=[made.pk]),
            "duplicate": made.pk != upload.pk,
        }
    if response is None:
        response = JsonResponse(
            {
                "id": str(upload.pk),
                "filename": upload.filename,
                "size": upload.size,
                "offset": upload.offset,
                "conversation": conversation,
            }
        )
    response["Upload-Offset"] = str(upload.offset)
    response["Upload-Length"] = str(upload.size)
    if conversation is not None:
        response["Portal-Conversation"] = str(conversation["id"])
        response["Portal-Conversation-Url"] = str(conversation["url"])
        if conversation["duplicate"]:
            response["Portal-Duplicate"] = "true"
    return response


def _metadata(header: str) -> dict[str, str]:
    """``key base64,key base64,key``: a key without value stands for an empty one."""
    metadata = {}
    try:
        for pair in filter(None, (part.strip() for part in header.split(","))):
            key, _space, value = pair.partition(" ")
            metadata[key] = b64decode(value, validate=True).decode()
    except (NotBase64, UnicodeDecodeError):
        raise _bad_request() from None
    if any("\0" in value for value in metadata.values()):
        raise _bad_request()
    return metadata


def _number(request: HttpRequest, header: str) -> int:
    value = request.headers.get(header, "")
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise _bad_request()
    return int(value)


def _bad_request() -> Refused:
    return Refused(
        "bad_request",
        _("La página ha enviado algo que no se entiende. Recárguela y vuelva a intentarlo."),
        status=400,
    )


def _not_allowed(methods: str) -> HttpResponse:
    return HttpResponse(status=405, headers={"Allow": methods})


def _refusal(refused: Refused) -> HttpResponse:
    return JsonResponse(
        {"code": refused.code, "message": refused.public_message}, status=refused.status
    )
