"""The engines of this installation, of speech and of analysis, as people choose among them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Employee, Team
from portal.analysis import engines as analysis
from portal.analysis.llm.endpoint import OPENAI, Endpoint
from portal.speech.engines import ENGINES, available_engines, get_engine

NAMES: dict[str, str | Promise] = {
    "local": _("En este equipo, sin enviar nada fuera"),
    "aws": _("AWS Transcribe (externo)"),
    "deepgram": _("Deepgram (externo)"),
    "openai": _("OpenAI o compatible (externo)"),
    "llm": _("Modelo de lenguaje"),
    "llm-local": _("Modelo de lenguaje en este equipo"),
}

LOCAL = "local"
"""What transcribes where nothing outside may or can."""

ON_THIS_MACHINE = frozenset({LOCAL, "extractive", "llm-local"})
"""Engines of speech and of analysis that send nothing out; people are told just that of them."""


def may_go_outside(team: Team) -> bool:
    """Whether something outside can be used for this team at all: people are asked only then."""
    engines = {team.analysis_engine, *(name for name, _ in choices())}
    return team.external_services and any(map(is_outside, engines))


def is_outside(engine: str) -> bool:
    """Whether that engine of speech or analysis sends what people say out of the organisation."""
    return engine not in ON_THIS_MACHINE and not (engine == "llm" and settings.ENV.llm_inside)


def options() -> dict[str, dict[str, Any]]:
    """What each engine is made with, from this installation's settings."""
    return {
        "local": {
            "models_dir": settings.ENV.data / "models",
            "model": settings.ENV.whisper_model,
            "cpu_threads": settings.ENV.cpu_threads,
        },
        "aws": {
            "bucket": settings.ENV.aws_transcribe_bucket,
            "region": settings.ENV.aws_transcribe_region,
            "kms_key": settings.ENV.aws_transcribe_kms_key,
            "vocabulary": settings.ENV.aws_transcribe_vocabulary,
            "models_dir": settings.ENV.data / "models",
        },
        "deepgram": {
            "api_key": settings.ENV.deepgram_api_key,
            "url": settings.ENV.deepgram_url,
            "model": settings.ENV.deepgram_model,
            "models_dir": settings.ENV.data / "models",
        },
        "openai": {
            "base_url": settings.ENV.openai_base_url,
            "api_key": settings.ENV.openai_api_key,
            "model": settings.ENV.openai_model,
            "models_dir": settings.ENV.data / "models",
        },
    }


def analysis_options() -> dict[str, dict[str, Any]]:
    """What each engine of analysis is made with."""
    env = settings.ENV
    endpoint = Endpoint(
        model=env.llm_model,
        base_url=env.llm_base_url or OPENAI,
        api_key=env.llm_api_key,
        context_tokens=env.llm_context_tokens,
    )
    local = {"models_dir": env.data / "models", "port": env.llm_local_port}
    return {"llm": {"endpoint": endpoint}, "llm-local": local}


def analysis_choices() -> list[tuple[str, str | Promise]]:
    """(stable name, name for people) of all; of one that cannot be used now it says why."""
    given = analysis_options()
    named = []
    for name in analysis.available_engines():
        if name == analysis.LOCAL:
            named.append((name, NAMES["local"]))
            continue
        shown = NAMES.get(name, name)
        for problem in analysis.get_engine(name, **given.get(name, {})).check()[:1]:
            shown = f"{shown} ({problem.message})"
        named.append((name, shown))
    return named


def choices() -> list[tuple[str, str | Promise]]:
    """(stable name, name for people) of those that can be used now."""
    return [(name, NAMES.get(name, name)) for name in available_engines(options())]


def lacking() -> list[tuple[str, str | Promise, str]]:
    """(stable name, name for people, why) of those that this installation knows and cannot use."""
    given = options()
    found = {name: get_engine(name, **given.get(name, {})).check() for name in ENGINES}
    return [
        (name, NAMES.get(name, name), problems[0].message)
        for name, problems in found.items()
        if problems
    ]


def preferred(employee: Employee, team: Team) -> str:
    """The engine that is offered first: the employee's, or else their team's."""
    return employee.default_engine or team.default_engine
