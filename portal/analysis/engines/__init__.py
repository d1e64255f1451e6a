"""Analysis engines by name; a module is imported when its engine is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from portal.analysis.engines.base import AnalysisEngine

LOCAL = "extractive"
_ENGINES = {
    LOCAL: "portal.analysis.engines.extractive:ExtractiveEngine",
    "llm": "portal.analysis.engines.llm:LlmEngine",
    "llm-local": "portal.analysis.engines.llm_local:LocalLlmEngine",
}
_made: dict[tuple[str, tuple[tuple[str, Any], ...]], AnalysisEngine] = {}


def available_engines() -> tuple[str, ...]:
    """Names that ``get_engine`` takes, the default first; each says whether it can be used."""
    return tuple(_ENGINES)


def get_engine(name: str = LOCAL, **options: Any) -> AnalysisEngine:
    """The engine of that name, one per process and set of (hashable) ``options`` of its class.

    Raises LookupError, whose text names the others, and TypeError for an option it does not have.
    """
    if name not in _ENGINES:
        known = ", ".join(available_engines())
        raise LookupError(f"No hay un motor de análisis «{name}»; hay: {known}.")
    key = name, tuple(sorted(options.items()))
    if key not in _made:
        module, _, attribute = _ENGINES[name].partition(":")
        engine: AnalysisEngine = getattr(import_module(module), attribute)(**options)
        _made[key] = engine
    return _made[key]
