"""Analysis engines by name; a module is imported when its engine is first asked for."""

from __future__ import annotations

from importlib import import_module

from portal.analysis.engines.base import AnalysisEngine

_ENGINES = {"extractive": "portal.analysis.engines.extractive:ExtractiveEngine"}
_made: dict[str, AnalysisEngine] = {}


def available_engines() -> tuple[str, ...]:
    """Names that ``get_engine`` takes, the default first."""
    return tuple(_ENGINES)


def get_engine(name: str = "extractive") -> AnalysisEngine:
    """The engine of that name, one per process; raises LookupError, whose text names the others."""
    if name not in _ENGINES:
        known = ", ".join(available_engines())
        raise LookupError(f"No hay un motor de análisis «{name}»; hay: {known}.")
    if name not in _made:
        module, _, attribute = _ENGINES[name].partition(":")
        engine: AnalysisEngine = getattr(import_module(module), attribute)()
        _made[name] = engine
    return _made[name]
