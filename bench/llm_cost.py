"""What a language model costs us, and what it costs the way this product was first drawn up.

    python -m bench.llm_cost [--json] [INTERVIEW ...]

Each interview (``bench/eval/interviews`` by default) is told at the pace of a ten-minute one to two
clients of one counting server (``tests/servers/openai_server.py``): ours, as a recording that goes
on and then as one that is saved; and the other way, one request for each open question every five
seconds with all that was said so far, and on saving one for each question and each of its proofs,
the title, the description and the summary with the whole transcript. The "model" knows the right
answers and gives one where the words that hold it are in the request, so that both are told the
same. The clock is simulated. Figures are means of an interview. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openai import OpenAI

from portal.analysis.engines.base import Finding, Turn
from portal.analysis.engines.llm import LlmEngine
from portal.analysis.llm.endpoint import Endpoint
from portal.analysis.questionnaire import default_questionnaire
from portal.analysis.tail import tail
from portal.environment import Environment
from tests.servers.brains import transcript
from tests.servers.openai_server import OpenAIServer, serve

INTERVIEWS = sorted((Path(__file__).parent / "eval" / "interviews").glob("*.json"))
SECONDS, SEED_EVERY = 600.0, 5.0
OURS_EVERY: float = Environment.model_fields["llm_live_seconds"].default
MODEL_TAIL, MOST_PIECES = 3, 80  # as portal/live/ticking.py has them, which needs a database
SETTLED = ("answered", "declined")

SEED_LIVE = (
    "Eres un asistente que ayuda a un entrevistador de Cruz Roja. Te doy la transcripción de una "
    "conversación en curso y una pregunta de un formulario. Di si en la conversación ya se ha "
    "respondido a la pregunta. Contesta solo SI o NO."
)
SEED_FINAL = (
    "Eres un asistente que ayuda a un entrevistador de Cruz Roja. Te doy la transcripción de una "
    "conversación y una petición. Responde de forma breve y solo con lo que se dice en ella."
)


@dataclass
class Interview:
    """``ends[i]`` is the second at which turn i has been said."""

    turns: list[Turn]
    gold: dict[str, dict[str, Any]]
    ends: list[float] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Interview:
        data = json.loads(path.read_text("utf-8"))
        turns = [Turn(turn["speaker"], turn["text"]) for turn in data["turns"]]
        words = [len(turn.text.split()) + 3 for turn in turns]  # three for the pause
        ends = [SECONDS * sum(words[: n + 1]) / sum(words) for n in range(len(turns))]
        gold = {item["question"]: item for item in data["gold"] if item["state"] != "unasked"}
        return cls(turns, gold, ends)

    def said(self, question: str, heard: Callable[[int], bool]) -> dict[str, Any] | None:
        """The right finding, where a turn that proves it has been heard."""
        item = self.gold.get(question)
        proof = next((turn for turn in item["evidence"] if heard(turn)), None) if item else None
        if item is None or proof is None:
            return None
        answer = item["answer"] if item["state"] == "answered" else ""
        return {"question": question, "answer": answer, "state": item["state"], "turn": proof}


class Knowing:
    """The model behind the server: what it is sent decides what it can know."""

    def __init__(self, interview: Interview) -> None:
        self._interview = interview
        self._ids = {q.text: q.id for q in default_questionnaire().questions}

    def __call__(self, prompt: str) -> dict[str, Any] | str:
        if prompt.startswith((SEED_LIVE, SEED_FINAL)):
            return self._seed(prompt)
        told, _, talk = prompt.partition("[[transcripción")
        texts = {turn.text for turn in transcript("[[transcripción" + talk).values()}
        # Ours numbers the turns of the request.
        numbers = {turn.text: n for n, turn in transcript("[[transcripción" + talk).items()}

        def text(turn: int) -> str:
            return " ".join(self._interview.turns[turn].text.split())

        findings = []
        for key in self._ids.values():
            if f"\n{key}: " not in told:
                continue
            said = self._interview.said(key, lambda turn: text(turn) in texts)
            if said is not None:
                proof = text(said.pop("turn"))
                findings.append(said | {"quote": _short(proof), "turn": numbers[proof]})
        if "`turn`" in told:
            return {"said": findings}
        for finding in findings:
            finding["evidence"] = [{"quote": finding.pop("quote"), "turn": finding.pop("turn")}]
        heading = {"title": "Ayuda para la familia", "summary": "Pide ayuda para su familia."}
        return {"findings": findings} | heading

    def _seed(self, prompt: str) -> str:
        question = next((key for text, key in self._ids.items() if text in prompt), "")
        said = self._interview.said(question, lambda n: self._interview.turns[n].text in prompt)
        if prompt.startswith(SEED_LIVE):
            return "SI" if said and said["state"] in SETTLED else "NO"
        return said["answer"] if said else "No se dice en la conversación."


def _short(text: str) -> str:
    return " ".join(text.split()[:14])


@dataclass(frozen=True)
class Cost:
    requests: int
    tokens: int
    coverage: float
    final_requests: int


def ours(interview: Interview) -> Cost:
    questions = default_questionnaire().questions
    states: dict[str, str] = {}
    with serve(Knowing(interview)) as server:
        engine = LlmEngine(Endpoint(server.model, server.url, server.api_key, retries=0))
        fresh, again = 0, 0.0
        for count, end in enumerate(interview.ends, 1):
            open_ones = [q for q in questions if states.get(q.id) not in SETTLED]
            following = interview.ends[count] if count < len(interview.ends) else SECONDS
            now = max(end, again)
            if not open_ones or now > following:  # then with the turn that follows
                continue
            speakers = [turn.speaker for turn in interview.turns[:count]]
            start = tail(speakers, fresh, changes=MODEL_TAIL, most=MOST_PIECES)
            _keep(states, engine.assess_live(interview.turns[start:count], open_ones))
            fresh, again = count, now + OURS_EVERY
        covered = _covered(interview, states)
        live = len(server.requests)
        engine.assess(interview.turns, questions)
        engine.describe(interview.turns)
        return _cost(server, covered, live)


def seeds(interview: Interview) -> Cost:
    questions = default_questionnaire().questions
    states: dict[str, str] = {}
    with serve(Knowing(interview)) as server:
        client = OpenAI(base_url=server.url, api_key=server.api_key, max_retries=0)

        def request(told: str, asked: str, count: int) -> str:
            talk = "\n".join(f"{t.speaker}: {t.text}" for t in interview.turns[:count])
            content = [("system", told), ("user", f"{asked}\n\nTranscripción:\n{talk}")]
            messages: Any = [{"role": role, "content": text} for role, text in content]
            made = client.chat.completions.create(model=server.model, messages=messages)
            return made.choices[0].message.content or ""

        now = SEED_EVERY
        while now <= SECONDS:
            count = sum(end <= now for end in interview.ends)
            for question in questions if count else ():
                if question.id not in states and request(SEED_LIVE, question.text, count) == "SI":
                    states[question.id] = "answered"
            now += SEED_EVERY
        covered = _covered(interview, states)
        live = len(server.requests)
        everything = len(interview.turns)
        for question in questions:
            request(SEED_FINAL, question.text, everything)
            request(SEED_FINAL, f"¿Con qué palabras se responde? {question.text}", everything)
        for asked in ("Pon un título.", "Pon una descripción.", "Haz un resumen."):
            request(SEED_FINAL, asked, everything)
        return _cost(server, covered, live)


def _keep(states: dict[str, str], findings: Sequence[Finding]) -> None:
    states.update({f.question_id: f.state for f in findings if f.state != "unasked"})


def _covered(interview: Interview, states: dict[str, str]) -> float:
    """Of the questions answered or declined in the interview, how many were ticked as such while it
    went on."""
    settled = [key for key, item in interview.gold.items() if item["state"] in SETTLED]
    return sum(states.get(key) in SETTLED for key in settled) / len(settled)


def _cost(server: OpenAIServer, covered: float, live: int) -> Cost:
    tokens = server.tokens_in + server.tokens_out
    return Cost(len(server.requests), tokens, covered, len(server.requests) - live)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("interviews", nargs="*", type=Path)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    interviews = [Interview.read(path) for path in args.interviews or INTERVIEWS]
    figures: dict[str, float] = {}
    for name, way in (("ours", ours), ("seed", seeds)):
        costs = [way(interview) for interview in interviews]
        figures |= {
            f"{label}_{name}": round(sum(getattr(cost, label) for cost in costs) / len(costs), 3)
            for label in ("tokens", "requests", "coverage", "final_requests")
        }
    for label in ("tokens", "requests", "final_requests", "coverage"):
        mine, theirs = figures[f"{label}_ours"], figures[f"{label}_seed"]
        print(f"{label:16} {mine:12,.2f} {theirs:14,.2f}    1/{theirs / max(mine, 1e-9):.1f}")
    if args.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
