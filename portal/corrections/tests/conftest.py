from __future__ import annotations

from portal.assessments.tests.conftest import conversation, sheet, turns
from portal.corrections.tests.scene import folder, talk

__all__ = ["conversation", "folder", "sheet", "talk", "turns"]
