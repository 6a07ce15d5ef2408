"""How a network is built and trained: everything that decides the result, apart from the photos, by name."""

from __future__ import annotations

from dataclasses import dataclass, replace

from include.errors import ConfigurationError

SCRATCH = "scratch"


@dataclass(frozen=True)
class Phase:
    """A part of training with its own optimiser."""

    name: str
    epochs: int
    learning_rate: float
    """Its peak: reached after the warm-up, then falling along half a cosine."""
    unfrozen_share: float
    """Share of the base's layers, counted from the top, that are trained: 0 is the head alone, 1 is everything."""


@dataclass(frozen=True)
class AugmentationRecipe:
    """What is done to training photos, at random; 0 leaves a step out."""

    flip: bool = True
    """Mirror from left to right; products are hardly ever upside down."""
    rotation: float = 0.04
    """Largest turn either way, as a share of a full turn."""
    zoom: float = 0.15
    """Largest zoom in or out, as a share of the side."""
    contrast: float = 0.2
    """Largest change of contrast, as a share."""
    rand_augment_operations: int = 0
    """Operations of RandAugment (Cubuk et al., 2020) on each batch."""
    rand_augment_strength: float = 0.3
    """Their strength, 0 to 1."""
    mix_up: float = 0.0
    """Parameter of the Beta distribution of MixUp (Zhang et al., 2018); 0.2 is usual."""


@dataclass(frozen=True)
class CnnRecipe:
    """A network and its training; the same recipe, photos and backend give the same network, up to rounding."""

    name: str
    base: str
    """`scratch`, a name of `keras.applications`, or the path of a `.keras` file whose first output is an embedding."""
    side: int
    """Height and width of the photos, in pixels. A `.keras` file of a fixed input size overrides it."""
    phases: tuple[Phase, ...]
    weights: str | None = None
    """For a named base: `imagenet` (a download), the path of a weights file, or None for an untrained base."""
    widths: tuple[int, ...] = (32, 64, 128, 192)
    """Channels of the blocks of the network from scratch; each block halves the side, the first one twice."""
    batch_size: int = 32
    dropout: float = 0.3
    """Before the classification layer."""
    weight_decay: float = 1e-4
    """Of AdamW (Loshchilov and Hutter, 2019); biases and normalisation are spared."""
    label_smoothing: float = 0.0
    class_weights: bool = True
    """Whether rare labels count for more, in inverse proportion to their photos."""
    warmup_share: float = 0.1
    """Share of a phase's steps in which the learning rate rises."""
    patience: int = 8
    """Epochs without a lower validation loss after which a phase ends."""
    validation_share: float = 0.15
    """Share of the content groups held out for early stopping."""
    augmentation: AugmentationRecipe = AugmentationRecipe()
    shuffle_buffer: int = 2048
    """Encoded photos among which the next one is drawn."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.phases or any(phase.epochs < 1 for phase in self.phases):
            raise ConfigurationError(f"Recipe '{self.name}' trains nothing: give every phase at least one epoch.")
        if self.side < 16 or self.batch_size < 1 or not 0 < self.validation_share <= 0.5:
            raise ConfigurationError(
                f"Recipe '{self.name}' needs a side of at least 16 pixels, a batch of at least one photo, and a "
                f"validation share in (0, 0.5]: it has {self.side}, {self.batch_size}, {self.validation_share}."
            )
        if any(not 0 <= phase.unfrozen_share <= 1 for phase in self.phases):
            raise ConfigurationError(f"Recipe '{self.name}': the unfrozen share of a phase lies between 0 and 1.")

    @property
    def base_is_trained(self) -> bool:
        """Whether the base knows something already, which a careless first step would destroy."""
        return self.base.endswith(".keras") or (self.base != SCRATCH and self.weights is not None)

    @property
    def phases_to_run(self) -> tuple[Phase, ...]:
        """The phases as they are for a trained base; for an untrained one a single phase that trains everything."""
        if self.base_is_trained:
            return self.phases
        first = self.phases[0]
        return (Phase("all", sum(phase.epochs for phase in self.phases), first.learning_rate, 1.0),)

    def shortened(self, epochs: int) -> CnnRecipe:
        """The same with at most so many epochs in each phase; ConfigurationError if that is below 1."""
        return replace(self, phases=tuple(replace(p, epochs=min(p.epochs, epochs)) for p in self.phases))


def _transfer(name: str, base: str, side: int, fine_tuned_share: float, batch_size: int = 32) -> CnnRecipe:
    return CnnRecipe(
        name=name,
        base=base,
        side=side,
        phases=(Phase("head", 15, 1e-3, 0.0), Phase("fine-tuning", 25, 1e-4, fine_tuned_share)),
        weights="imagenet",
        batch_size=batch_size,
        label_smoothing=0.1,
        augmentation=AugmentationRecipe(rand_augment_operations=1, mix_up=0.2),
    )


_ALL = (
    CnnRecipe(
        name="scratch-small",
        base=SCRATCH,
        side=96,
        phases=(Phase("all", 60, 2e-3, 1.0),),
        label_smoothing=0.1,
        patience=15,
        augmentation=AugmentationRecipe(mix_up=0.2),
    ),
    _transfer("mobilenetv3-small-transfer", "MobileNetV3Small", 224, 0.4),
    _transfer("efficientnetv2b0-transfer", "EfficientNetV2B0", 224, 0.3, batch_size=16),
    _transfer("resnet50-transfer", "ResNet50", 224, 0.2, batch_size=16),
)
RECIPES = {recipe.name: recipe for recipe in _ALL}


def recipe_named(name: str) -> CnnRecipe:
    """The recipe of that name; the path of a `.keras` file is the transfer recipe with that network as its base.

    Raises ConfigurationError with the known names for any other.
    """
    if name.endswith(".keras"):
        return replace(RECIPES["mobilenetv3-small-transfer"], name="own-network-transfer", base=name, weights=None)
    if name not in RECIPES:
        raise ConfigurationError(
            f"There is no recipe '{name}' for a CNN: use one of {', '.join(RECIPES)}, or the path of a .keras file "
            "to start from."
        )
    return RECIPES[name]
