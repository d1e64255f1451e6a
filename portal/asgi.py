from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

django = get_asgi_application()

from django.conf import settings  # noqa: E402  # after Django is set up

from portal.operations.body_limit import FORM_BYTES, BodyLimit  # noqa: E402

application = BodyLimit(
    django,
    # The form around a recording, in the API, takes a little too.
    recordings=settings.ENV.upload_max_bytes + FORM_BYTES,
    carriers=("/subidas/", "/api/v1/participants/"),
)
