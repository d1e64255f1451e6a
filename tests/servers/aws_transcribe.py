"""AWS Transcribe's jobs, by their documented JSON. Recordings and results lie in a bucket of moto's
server, which has jobs of its own, but writes no results."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from portal.speech.audio import SAMPLE_RATE
from tests.servers.hearing import Heard, pcm_of, words_in
from tests.servers.http import Answer, Request, Server


class AWSTranscribe(Server):
    """``s3``: a client of the bucket's service. ``looks``: how often a job is looked at before it
    is done. ``fails``: the reason why the next job does not work. ``refuses``: why none is begun.
    ``leaves``: what jobs write in the place of a result."""

    def __init__(self, s3: Any) -> None:
        super().__init__()
        self._s3 = s3
        self.jobs: dict[str, dict[str, Any]] = {}
        self.started: list[dict[str, Any]] = []
        self.looks = 2
        self.fails, self.leaves, self.refuses = "", "", ""

    def calm(self) -> None:
        super().calm()
        self.jobs.clear()
        self.started.clear()
        self.looks, self.fails, self.leaves, self.refuses = 2, "", "", ""

    def answer(self, request: Request) -> Answer:
        if "Credential=" not in request.headers.get("authorization", ""):
            return _error(403, "AccessDeniedException", "Missing Authentication Token")
        target = request.headers["x-amz-target"].removeprefix("Transcribe.")
        data = json.loads(request.body)
        if target == "ListTranscriptionJobs":
            names = [name for name in self.jobs if data["JobNameContains"] in name]
            return Answer({"TranscriptionJobSummaries": [self._job(name) for name in names]})
        name = data["TranscriptionJobName"]
        if target == "StartTranscriptionJob":
            if self.refuses:
                return _error(400, "BadRequestException", self.refuses)
            if name in self.jobs:
                return _error(400, "ConflictException", "The requested job name already exists.")
            self.started.append(data)
            self.jobs[name] = {"asked": data, "looks": self.looks, "fails": self.fails}
            return Answer({"TranscriptionJob": self._job(name)})
        if name not in self.jobs:
            return _error(400, "NotFoundException", "The requested job couldn't be found.")
        if target == "DeleteTranscriptionJob":
            del self.jobs[name]
            return Answer({})
        job = self.jobs[name]
        if job["looks"] == 0 and not job["fails"] and "done" not in job:
            self._write(job["asked"])
            job["done"] = True
        described = self._job(name)
        job["looks"] = max(0, job["looks"] - 1)
        return Answer({"TranscriptionJob": described})

    def _job(self, name: str) -> dict[str, Any]:
        job = self.jobs[name]
        state = "IN_PROGRESS" if job["looks"] else "FAILED" if job["fails"] else "COMPLETED"
        described = {"TranscriptionJobName": name, "TranscriptionJobStatus": state}
        if state == "FAILED":
            described["FailureReason"] = job["fails"]
        return described

    def _write(self, asked: dict[str, Any]) -> None:
        address = urlsplit(asked["Media"]["MediaFileUri"])
        file = self._s3.get_object(Bucket=address.netloc, Key=address.path[1:])["Body"].read()
        pcm, channels = pcm_of(file)
        settings = asked.get("Settings", {})
        body = result(words_in(pcm), settings, name=asked["TranscriptionJobName"])
        assert channels == (2 if settings.get("ChannelIdentification") else 1)
        assert len(pcm) / 2 / SAMPLE_RATE > 1
        self._s3.put_object(
            Bucket=asked["OutputBucketName"],
            Key=asked["OutputKey"],
            Body=self.leaves or json.dumps(body),
        )


def result(heard: list[Heard], settings: dict[str, Any], *, name: str) -> dict[str, Any]:
    """The file that a job leaves."""
    results: dict[str, Any] = {
        "language_code": "es-ES",
        "transcripts": [{"transcript": " ".join(word.text for word in heard)}],
        "items": [],
    }
    if settings.get("ShowSpeakerLabels"):
        for word in heard:
            results["items"] += items(word, speaker_label=f"spk_{word.speaker}")
        results["speaker_labels"] = {
            "speakers": len({word.speaker for word in heard}),
            "segments": [
                {
                    "start_time": str(said[0].start),
                    "end_time": str(said[-1].end),
                    "speaker_label": f"spk_{said[0].speaker}",
                    "items": [],
                }
                for said in (list(group) for _, group in groupby(heard, key=lambda word: word.turn))
            ],
        }
    else:
        results["items"] = [item for word in heard for item in items(word)]
    if settings.get("ChannelIdentification"):
        results["channel_labels"] = {
            "number_of_channels": 2,
            "channels": [
                {
                    "channel_label": f"ch_{channel}",
                    "items": [
                        item for word in heard if word.speaker == channel for item in items(word)
                    ],
                }
                for channel in (0, 1)
            ],
        }
    return {"jobName": name, "accountId": "0", "status": "COMPLETED", "results": results}


def items(word: Heard, **labels: str) -> list[dict[str, Any]]:
    """A word, and the mark after it as an item of its own."""
    text = word.text.rstrip(".,?!")
    found: list[dict[str, Any]] = [
        {
            "type": "pronunciation",
            "start_time": f"{word.start:.3f}",
            "end_time": f"{word.end:.3f}",
            "alternatives": [{"confidence": "0.981", "content": text}],
            **labels,
        }
    ]
    if word.text != text:
        found.append(
            {
                "type": "punctuation",
                "alternatives": [{"confidence": "0.0", "content": word.text[len(text) :]}],
                **labels,
            }
        )
    return found


def _error(status: int, code: str, message: str) -> Answer:
    return Answer({"__type": code, "Message": message}, status)
