"""`jaxvqa train`: a fusion model from rated clips."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
from pathlib import Path, PurePath
from typing import Any

from jaxvqa import report
from jaxvqa._cli.errors import OutputError, UsageError
from jaxvqa._cli.evaluate_tables import figure, print_differences, print_statistics
from jaxvqa._cli.flags import as_flags
from jaxvqa._cli.outputs import check_output
from jaxvqa._cli.study_options import (
    add_running,
    add_settings,
    asked,
    counting,
    files_read,
    measuring_of,
    rated_clips,
)
from jaxvqa._cli.terminal import print_styled, warn
from jaxvqa._study.request import StudyRequest
from jaxvqa._study.train import Trained, train
from jaxvqa._study.train_files import files_of, libvmaf_reads, picture, render_files
from jaxvqa._study.train_request import TrainRequest

EPILOG = """\
examples:
  jaxvqa train clips.csv --features adm2,motion2,vif_scale0,vif_scale1 -o mine.json
  jaxvqa train clips.csv --features y_funque_plus --regressor ridge -o mine.json
  jaxvqa train clips.csv --features 3c_funque_plus --search --bootstrap 20 -o mine.json
  jaxvqa train clips.csv --start vmaf_v0.6.1 -o tuned.json
  jaxvqa score ref.mkv dis.mkv --model mine.json

CLIPS is as for jaxvqa evaluate. Beside mine.json come mine.libvmaf.json (for libvmaf's tool, where
it has the features), mine.folds.csv, mine.report.json and, with matplotlib, mine.png.
"""


def add_parser(commands: Any, help: str) -> Any:
    """Adds the command to the parser of `jaxvqa`."""
    parser = commands.add_parser(
        "train",
        help=help,
        description="Fits a fusion model to rated clips, and predicts each clip by a model that "
        "never saw its content.",
        usage="jaxvqa train CLIPS --features NAMES --output MODEL [options]",
        epilog=EPILOG,
    )
    parser.add_argument("clips", metavar="CLIPS", help="table of clips, or a data set file (.py)")
    parser.add_argument(
        "-o", "--output", metavar="MODEL", required=True, help="model file to write, .json"
    )
    add_settings(parser, TrainRequest, StudyRequest)
    add_running(parser)
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Trains, writes, prints."""
    request = asked(args, TrainRequest)
    output = _output(args.output)
    if not request.features and request.start is None:
        raise UsageError("nothing to fit: name --features, or a model with --start.")
    study = rated_clips(args)
    read = files_read(args, study, models=(request.start,) if request.start else ())
    for file in files_of(output):
        check_output("--output", str(file), [*read, *request.features])
    measuring = measuring_of(args)
    trained = train(study, request, measuring, output.stem, counting("folds done"))
    files = render_files(trained, request, output)
    if importlib.util.find_spec("matplotlib") is not None:
        files[files_of(output)[-1]] = picture(trained, "png")
    _write(files)
    for text in trained.evaluation.warnings if trained.evaluation is not None else ():
        warn(as_flags(text))
    _print(trained, request, files)
    return 0


def _output(name: str) -> Path:
    if PurePath(name).suffix.lower() != ".json":
        raise UsageError(f"--output {name}: model files end in .json.")
    check_output("--output", name)
    return Path(name)


def _write(files: dict[Path, bytes]) -> None:
    """Writes all files; what is new of them goes again if one can't be written."""
    made: list[Path] = []
    try:
        for path, content in files.items():
            there = path.exists()
            report.write_atomically(path, content)
            if not there:
                made.append(path)
    except OSError as error:
        for path in made:
            with contextlib.suppress(OSError):
                os.unlink(path)
        raise OutputError(f"{error.filename}: cannot be written: {error.strerror}.") from error


def _print(trained: Trained, request: TrainRequest, files: dict[Path, bytes]) -> None:
    data = trained.data
    contents = len(set(data.contents))
    print_styled(
        f"{data.size} clips of {contents} contents; ratings {trained.study.rating}; "
        f"{len(data.features)} features",
        "dim",
    )
    numbers = trained.recipe.numbers
    if request.start is not None:
        numbers = {"start": request.start, "penalty": trained.recipe.penalty}
    print_styled(", ".join(f"{name} {value}" for name, value in numbers.items()), "dim")
    if trained.evaluation is not None:
        print_styled(
            f"predictions of held-out contents ({request.cv}); 95 % intervals from "
            f"{trained.evaluation.bootstrap} resamples of contents",
            "dim",
        )
        print()
        print_statistics(trained.evaluation)
        print_differences(trained.evaluation)
    print()
    gap = data.ratings - trained.fitted
    print_styled(f"on the clips it was fitted to: RMSE {figure(float((gap**2).mean() ** 0.5))}", "")
    if not libvmaf_reads(trained.model):
        print_styled(
            "no file for libvmaf's tool: it reads support vector regressions on features that it "
            "gives to models",
            "dim",
        )
    print_styled(f"written: {', '.join(str(path) for path in files)}", "")
