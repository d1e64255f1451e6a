"""The ledger of what engines use up, and who pays for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from uuid import UUID

from django.conf import settings

from portal.accounts.engines import ON_THIS_MACHINE
from portal.accounts.models import Team
from portal.conversations.models import Conversation
from portal.engine import Usage, metered
from portal.usage.models import Charge

_MILLION = Decimal(1_000_000)
_MINUTE = Decimal(60)


@contextmanager
def charging(
    *, team: Team, conversation: Conversation | None = None, recording: UUID | None = None
) -> Iterator[None]:
    """What engines use inside the block is charged to ``team``, whether it ends well or not."""
    with metered() as used:
        try:
            yield
        finally:
            charge(team=team, conversation=conversation, recording=recording, used=used)


def charge(
    *,
    team: Team,
    used: Sequence[Usage],
    conversation: Conversation | None = None,
    recording: UUID | None = None,
) -> list[Charge]:
    """One row for each engine and model. ``recording``: a live one, in place of the conversation
    that it has become or will become."""
    rows = []
    if used and recording is not None:
        conversation = Conversation.objects.filter(pk=recording).first()
    for engine, model in dict.fromkeys((usage.engine, usage.model) for usage in used):
        of_it = [usage for usage in used if (usage.engine, usage.model) == (engine, model)]
        total = Usage(
            engine,
            model,
            seconds=sum(usage.seconds for usage in of_it),
            requests=sum(usage.requests for usage in of_it),
            tokens_in=sum(usage.tokens_in for usage in of_it),
            tokens_out=sum(usage.tokens_out for usage in of_it),
            tokens_cached=sum(usage.tokens_cached for usage in of_it),
        )
        rows.append(
            Charge(
                team=team,
                conversation=conversation,
                recording=recording,
                engine=engine[:30],
                model=model[:80],
                seconds=total.seconds,
                requests=total.requests,
                tokens_in=total.tokens_in,
                tokens_out=total.tokens_out,
                tokens_cached=total.tokens_cached,
                cost=cost_of(total),
            )
        )
    return Charge.objects.bulk_create(rows)


def assign(*, conversation: Conversation) -> None:
    """What was used while it was recorded is its own. Part of the caller's transaction."""
    Charge.objects.filter(recording=conversation.pk).update(conversation=conversation)


def cost_of(usage: Usage) -> Decimal | None:
    """By the price table of the settings; nothing for what runs on this machine, and None where
    there is no price."""
    if usage.engine in ON_THIS_MACHINE:
        return Decimal(0)
    prices = settings.ENV.prices
    price = prices.get(f"{usage.engine}/{usage.model}") or prices.get(usage.engine)
    if price is None:
        return None
    fresh = max(0, usage.tokens_in - usage.tokens_cached)
    cached = price.input if price.cached is None else price.cached
    tokens = fresh * price.input + usage.tokens_cached * cached + usage.tokens_out * price.output
    return Decimal(usage.seconds) / _MINUTE * price.minute + tokens / _MILLION
