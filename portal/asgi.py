from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

django = get_asgi_application()

# After Django is set up.
from channels.routing import ProtocolTypeRouter  # noqa: E402
from channels.security.websocket import OriginValidator  # noqa: E402
from channels.sessions import CookieMiddleware  # noqa: E402
from django.conf import settings  # noqa: E402

from portal.live.routing import sockets  # noqa: E402
from portal.notifications.stream import Beside  # noqa: E402
from portal.operations.body_limit import FORM_BYTES, BodyLimit  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": BodyLimit(
            Beside(django),
            # The form around a recording, in the API, takes a little too.
            recordings=settings.ENV.upload_max_bytes + FORM_BYTES,
            carriers=("/subidas/", "/api/v1/participants/"),
        ),
        # A socket gets the session's cookie from any page in the world: only ours may open one.
        "websocket": OriginValidator(
            CookieMiddleware(sockets), [*settings.ALLOWED_HOSTS, settings.ENV.origin]
        ),
    }
)
