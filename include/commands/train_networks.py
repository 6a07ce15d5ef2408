"""`python -m include train-cnn` and `train-encoder`: networks trained on your photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from include.commands.output import console
from include.errors import ConfigurationError
from include.settings import load_settings

if TYPE_CHECKING:
    from include.models.cnn.fitting import EpochRow
    from include.models.encoder_training.train import PhotoFolder


def train_cnn_command(
    recipe: Annotated[
        str,
        typer.Argument(
            help="scratch-small, mobilenetv3-small-transfer, efficientnetv2b0-transfer, resnet50-transfer, or the path "
            "of a .keras file to start from."
        ),
    ] = "scratch-small",
    weights: Annotated[
        str | None,
        typer.Option(help="Weights to start from: a file, `imagenet` to download them, or `none`."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs of each phase at most.")] = None,
) -> None:
    """Train a convolutional network on the photos of all trusted labels; a killed training goes on."""
    from include.pipeline.training.train_cnn import train_cnn

    def print_epoch(row: EpochRow) -> None:
        console.print(
            f"epoch {row['epoch']:3d}  {row['phase']:10}  loss {row['loss']:.3f}  accuracy {row['accuracy']:.3f}  "
            f"held out: loss {row['validation_loss']:.3f}  accuracy {row['validation_accuracy']:.3f}"
        )

    found = train_cnn(load_settings(), recipe, weights=weights, epochs=epochs, on_epoch=print_epoch)
    console.print(f"best epoch {found.best_epoch}; use it as photo encoder: CUVEE_IMAGE_ENCODER={found.encoder}")


def train_encoder_command(
    photos: Annotated[
        list[str],
        typer.Argument(help="Folders of photos to learn from, each with its share of the crops: PATH[=SHARE]."),
    ],
    teacher: Annotated[
        Path, typer.Option(help="The network to learn from: a TFLite file with an embedding as output.")
    ],
    output: Annotated[Path, typer.Option(help="The ONNX file to write; its checkpoint is beside it.")],
) -> None:
    """Train a compact photo encoder that sees as a larger network does: hours of two cores; a killed one goes on."""
    from include.models.encoder_training.train import train_encoder

    path = train_encoder([_photo_folder(text) for text in photos], teacher, output)
    console.print(f"written to {path}; use it: CUVEE_IMAGE_ENCODER={path}")


def _photo_folder(text: str) -> PhotoFolder:
    from include.models.encoder_training.train import PhotoFolder

    path, _, share = text.partition("=")
    try:
        return PhotoFolder(Path(path), float(share or 1.0))
    except ValueError as error:
        raise ConfigurationError(f"{text}: the share of a folder is a number, e.g. photos=0.65") from error
