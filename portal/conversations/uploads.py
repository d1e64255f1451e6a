"""Receiving a file: the tus 1.0 protocol (core, creation, termination), https://tus.io.

What the browser sends and gets (tus-js-client 4: ``endpoint``, ``chunkSize`` 8 MB, ``metadata``,
``headers: {"X-CSRFToken": …}``). Every request but OPTIONS carries ``Tus-Resumable: 1.0.0``,
which the client does by itself, and the session's cookie.

``POST /subidas/`` (``conversations:uploads``)
    ``Upload-Length`` and ``Upload-Metadata`` with ``filename``, ``participant`` (UUID),
    ``consent`` (id), ``engine`` and, if fixed, ``language`` ("es"; "" or none: automatic).
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

    400 ``bad_request``; 401 nobody signed in; 404 ``not_found`` (also what is not theirs);
    409 ``wrong_offset`` (with ``Upload-Offset``); 409 ``consent_missing``, ``consent_withdrawn``;
    409 ``engine_unavailable``; 412 ``version``; 413 ``too_large``; 415 ``content_type``;
    422 ``empty``, ``not_audio``; 423 ``busy`` (another request is writing); 507 ``disk_full``
    (what came stays).
"""
