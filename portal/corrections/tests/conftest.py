from __future__ import annotations

from portal.assessments.tests.conftest import conversation, sheet, turns

__all__ = ["conversation", "sheet", "turns"]
