"""Puts jobs in passes: those of one reference together, and pictures of one form after another."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence

from jaxvqa import _waiting as waiting
from jaxvqa._batch.job import Job
from jaxvqa._batch.scratch import is_object
from jaxvqa._scoring.together import reads_alike
from jaxvqa.video._describe.glance import Form, glance

# bytes of decoded pictures that a pass may hold, and what it holds of each of its videos
_PASS_BYTES = 1 << 29
_HELD = 12
_MOST = 16
_UNKNOWN = Form(2160, 3840, 1)


def plan_passes(jobs: Sequence[tuple[Job, str]]) -> list[list[tuple[Job, str]]]:
    """Jobs with their keys, in passes.

    A pass has the jobs that read one reference alike, a file or an object that is copied, as many
    as fit into memory. Passes whose references have one form follow each other, so that a program
    is compiled once and stays.
    """
    shares = functools.cache(lambda ref: os.path.isfile(ref) or is_object(ref))
    groups: dict[object, list[tuple[Job, str]]] = {}
    for number, (job, key) in enumerate(jobs):
        group = (job.ref, reads_alike(job.request)) if shares(job.ref) else number
        groups.setdefault(group, []).append((job, key))
    forms = _forms([group[0][0] for group in groups.values()])
    ordered = sorted(groups.values(), key=lambda group: (forms[group[0][0].ref], group[0][0].ref))
    passes = []
    for group in ordered:
        most = _most_together(forms[group[0][0].ref])
        passes += [group[i : i + most] for i in range(0, len(group), most)]
    return passes


def _most_together(form: Form) -> int:
    held = _HELD * form.width * form.height * form.sample_bytes
    return max(1, min(_MOST, _PASS_BYTES // held))


def _forms(jobs: Sequence[Job]) -> dict[str, Form]:
    """The form of each job's reference; a large one where it can't be told at a glance."""
    crew = _crew()
    looked = {
        job.ref: crew.submit(functools.partial(glance, job.ref, job.request.inputs))
        for job in {job.ref: job for job in jobs}.values()
    }
    return {ref: waiting.result_of(future) or _UNKNOWN for ref, future in looked.items()}


@functools.cache
def _crew() -> waiting.Crew:
    return waiting.Crew("jaxvqa-glance", 4)
