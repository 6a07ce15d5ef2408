"""Every setting of the platform, typed, in one place, read from `CUVEE_*` environment variables.

A setting is named here, has a default that works on a laptop, and is documented by its description;
`python -m include settings` prints them all. No other module reads the environment.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from include.errors import ConfigurationError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
ROLES = ("viewer", "user", "op", "admin")
"""Roles of the embedded Airflow: read; read and trigger DAGs; as well change connections and pools; all."""


class Settings(BaseSettings):
    """The settings object; immutable, so that a step's result depends on its arguments alone.

    Example: `Settings(state_dir="/srv/cuvee", lake_url="s3://wine/lake")`, or in the environment
    `CUVEE_STATE_DIR=/srv/cuvee CUVEE_LAKE_URL=s3://wine/lake`.
    """

    model_config = SettingsConfigDict(env_prefix="CUVEE_", frozen=True, extra="ignore")

    # Storage
    state_dir: Path = Field(
        PROJECT_ROOT / ".cuvee", description="Folder that holds all local state: lake, database, logs, models."
    )
    lake_url: str = Field(
        "", description="Root of the lake, a folder or s3://bucket/prefix; empty means <state_dir>/lake."
    )
    warehouse_url: SecretStr = Field(
        SecretStr(""),
        description="SQLAlchemy URL of the warehouse; empty means the embedded PostgreSQL.",
    )
    mlflow_tracking_uri: str = Field(
        "",
        validation_alias="MLFLOW_TRACKING_URI",
        description="MLflow server; empty means a SQLite store under <state_dir>/mlflow.",
    )

    # Food APIs
    openfoodfacts_url: str = Field(
        "https://static.openfoodfacts.org",
        description="Host of the Open Food Facts delta files (`/data/delta/index.txt`).",
    )
    openfoodfacts_search_url: str = Field(
        "https://world.openfoodfacts.org", description="Host of the Open Food Facts search and product API."
    )
    edamam_url: str = Field("https://api.edamam.com", description="Host of the Edamam food database API.")
    edamam_app_id: SecretStr = Field(SecretStr(""), description="Edamam application id (a secret).")
    edamam_app_key: SecretStr = Field(SecretStr(""), description="Edamam application key (a secret).")
    edamam_query: str = Field("champagne", description="Search word sent to Edamam.")
    contact: str = Field(
        "https://github.com/cuvee-platform/cuvee",
        description="Contact in the User-Agent that Open Food Facts asks for: an address or a page.",
    )
    daily_sources: Annotated[tuple[str, ...], NoDecode] = Field(
        ("openfoodfacts", "edamam"), description="Sources that `champagne_daily` fetches, comma-separated."
    )
    first_day: date = Field(date(2026, 1, 1), description="First day that `champagne_daily` can be backfilled to.")
    last_day: date | None = Field(
        None, description="Last day that `champagne_daily` runs for; empty means that it goes on every day."
    )

    # Limits on requests and input
    requests_per_minute: int = Field(
        10, ge=1, description="Requests per minute and API host, shared by all tasks of this machine."
    )
    http_timeout_seconds: float = Field(30.0, gt=0, description="Time limit to connect and between two chunks.")
    http_deadline_seconds: float = Field(
        120.0,
        gt=0,
        description="Time limit for one try of a request, redirects and body included; each 16 KiB of it add a second.",
    )
    http_total_seconds: float = Field(
        3600.0, gt=0, description="Time limit for a request with all its tries and the pauses between them."
    )
    http_attempts: int = Field(5, ge=1, description="Tries per request before the task fails.")
    http_backoff_seconds: float = Field(1.0, ge=0, description="First pause between tries; doubles, with jitter.")
    http_max_bytes: int = Field(
        512 * 1024**2,
        gt=0,
        description="Largest file of an API accepted, in bytes as sent; pages and lists have narrower limits.",
    )
    photo_max_bytes: int = Field(20 * 1024**2, gt=0, description="Largest photo downloaded, in bytes.")
    photo_max_pixels: int = Field(50_000_000, gt=0, description="Largest photo decoded, width x height.")
    photo_threads: int = Field(
        8,
        ge=1,
        description="Photos fetched at the same time by one task; slow ones come on top, up to three times as many.",
    )
    photo_deadline_seconds: float = Field(
        60.0, gt=0, description="Time limit for one photo, redirects and the second try included."
    )
    photo_shard_seconds: float = Field(
        7_200.0,
        gt=0,
        description="Time limit for downloading the photos of one shard; a rerun downloads the others.",
    )
    photo_memory_bytes: int = Field(
        512 * 1024**2,
        gt=0,
        description="Memory for decoding photos in one task, in bytes; a photo that needs more is decoded alone.",
    )
    allow_private_hosts: bool = Field(
        False, description="Allow photos and redirects at private addresses and any port (the sandbox needs it)."
    )

    # Batches
    shard_size: int = Field(5_000, ge=1, description="Products per mapped task of a day.")
    max_rejected_share: float = Field(
        0.5, ge=0, le=1, description="A batch with a larger share of quarantined rows fails."
    )
    min_volume_share: float = Field(
        0.0, ge=0, le=1, description="A batch smaller than this share of the mean of earlier days fails; 0 is off."
    )
    max_volume_ratio: float = Field(
        100.0, ge=1, description="A batch larger than this multiple of the mean of earlier days fails."
    )
    freshness_days: int = Field(
        400, ge=1, description="A batch whose newest record is older than this many days before its day fails."
    )

    # Features and models
    image_encoder: str = Field(
        "bundled",
        description="`bundled` (the network of the project), `classical` (colours and textures, no network), a path to "
        "an .onnx, .tflite or .keras file, or `keras-applications:NAME`; several joined by `+`.",
    )
    text_encoder: str = Field(
        "tfidf-svd",
        description="`bag-of-words`, `tfidf`, `tfidf-svd`, `word-vectors`, `spacy:PIPELINE` or "
        "`sentence:FOLDER_OR_HUB_NAME`; takes effect with the next training.",
    )
    text_words: Literal["as-written", "lemmas"] = Field(
        "as-written",
        description="Tokens of the text encoders: words as they are written, or their English and French lemmas "
        "(`pip install spacy-lookups-data`).",
    )
    text_dimensions: int = Field(
        256, ge=2, description="Dimensions of the text embeddings of `tfidf-svd` and `word-vectors`."
    )
    text_vocabulary: int = Field(
        4_096, ge=2, description="Terms, and so dimensions, of the text embeddings of `bag-of-words` and `tfidf`."
    )
    download_models: bool = Field(
        False, description="Download a sentence encoder that is named by its hub name and not in the local cache."
    )
    inference_threads: int = Field(2, ge=1, description="Threads for decoding and inference in one task.")
    target_precision: float = Field(
        0.98, gt=0, lt=1, description="Precision that accepted labels must reach on out-of-fold predictions."
    )
    familiar_share: float = Field(
        0.99,
        gt=0.5,
        le=1,
        description="Share of held-out training products that the out-of-distribution detector accepts; less similar "
        "products go to review, whatever their confidence. 1 turns the detector off.",
    )
    training_folds: int = Field(5, ge=2, description="Folds for out-of-fold predictions in training.")
    min_label_examples: int = Field(
        5, ge=2, description="A label with fewer different trusted products is left out of training."
    )
    seed: int = Field(0, description="Seed of everything random.")

    # Retraining and promotion
    candidates_file: Path = Field(
        PROJECT_ROOT / "include" / "config" / "candidates.yaml",
        description="YAML file of the recipes that `retrain_weekly` trains.",
    )
    gold_share: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="Share of new content groups that are kept for evaluation and never trained on.",
    )
    gate_min_gold: int = Field(
        30, ge=1, description="With fewer gold products nothing is promoted: the comparison would mean little."
    )
    gate_gold_changes: float = Field(
        0.1, ge=0, le=1, description="Share of gold labels that sources may change before nothing is promoted on them."
    )
    gate_margin: float = Field(
        0.005, ge=0, lt=1, description="By how much a candidate's macro-F1 on the gold set must exceed the champion's."
    )
    gate_confidence: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence with which a candidate must be better, by interval or test."
    )
    gate_class_drop: float = Field(
        0.05, ge=0, le=1, description="Largest loss of F1 on any label with enough gold products."
    )
    gate_class_support: int = Field(20, ge=1, description="Gold products from which a label's F1 is compared.")
    gate_calibration_slack: float = Field(
        0.01, ge=0, le=1, description="By how much a candidate's calibration error may exceed the champion's."
    )
    gate_coverage_slack: float = Field(
        0.02,
        ge=0,
        le=1,
        description="By how much coverage at the target precision, and precision of what is accepted, may be below the "
        "champion's.",
    )
    gate_latency_ms: float = Field(
        50.0,
        gt=0,
        description="Longest time per product, text and photo encoded and classified in a batch, milliseconds.",
    )
    gate_size_mb: float = Field(200.0, gt=0, description="Largest artefact, photo encoder included, megabytes.")
    floor_macro_f1: float = Field(
        0.6, ge=0, le=1, description="Macro-F1 on the gold set that the first champion must reach."
    )
    floor_accepted_precision: float = Field(
        0.9, ge=0, le=1, description="Precision of accepted gold labels that the first champion must reach."
    )
    floor_calibration_error: float = Field(
        0.15, ge=0, le=1, description="Calibration error on the gold set that the first champion may have."
    )
    promotion_approval: bool = Field(
        False,
        description="Require approval in the Airflow UI before a candidate that passed the gate is promoted.",
    )
    approval_hours: float = Field(
        72.0, gt=0, description="Hours that a promotion waits for approval; then the champion stays."
    )
    relabel_shard_size: int = Field(
        20_000, ge=1, description="Products per mapped task of `relabel_catalogue`; more where 50 tasks are not enough."
    )

    # Monitoring of the daily batches
    drift_min_products: int = Field(
        50,
        ge=1,
        description="Batches with fewer labelled products get drift figures but no warning; a source with fewer "
        "training products is compared with all of them.",
    )
    drift_label_mix: float = Field(
        0.55,
        ge=0,
        le=1,
        description="Largest Jensen-Shannon distance between a batch's label shares and those in training; 1 is never "
        "exceeded.",
    )
    drift_confidence: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Largest Wasserstein distance by which a batch's confidences are below those in training.",
    )
    drift_embedding: float = Field(
        0.45,
        ge=0,
        description="Largest distance of a batch's mean text or photo embedding from training's, in training's spread.",
    )
    drift_missing_photos: float = Field(
        0.3, ge=0, le=1, description="Largest rise of the share of products without a photo over training."
    )
    drift_reviewed: float = Field(
        0.4, ge=0, le=1, description="Largest rise of the share sent to review over training."
    )
    notify_url: SecretStr = Field(
        SecretStr(""),
        description="Destination of the digest of warnings, an Apprise URL (mailtos://user:password@host, "
        "jsons://host/hook, ...; a secret); empty means the log.",
    )
    retrain_on_drift: bool = Field(
        False, description="Trigger `retrain_weekly` early, once a week at most, when a batch drifts beyond its bounds."
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "WARNING", description="Log level of the command line, on standard error."
    )

    # Local services
    airflow_port: int = Field(8080, ge=1, le=65535, description="Port of the Airflow UI and API.")
    postgres_port: int = Field(5433, ge=1, le=65535, description="Port of the embedded PostgreSQL.")
    sandbox_port: int = Field(8099, ge=1, le=65535, description="Port of the sandbox food APIs.")
    airflow_parallelism: int = Field(8, ge=1, description="Tasks that the embedded Airflow runs at once.")
    airflow_accounts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Accounts of the embedded Airflow beside `admin`, comma-separated, each with its role (`viewer`, "
        "`user`, `op` or `admin`), e.g. `ines:viewer,paul:user`; their passwords are in `airflow/passwords.json` of "
        "the state folder.",
    )
    preload_libraries: bool = Field(
        True, description="Let the embedded scheduler import libraries and steps once, so that tasks inherit them."
    )

    @field_validator("daily_sources", "airflow_accounts", mode="before")
    @classmethod
    def _split_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("airflow_accounts")
    @classmethod
    def _name_and_role(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for account in value:
            name, _, role = account.partition(":")
            if not name.isidentifier() or name == "admin" or role not in ROLES:
                raise ValueError(f"{account!r} is not a name (but admin) and one of the roles {', '.join(ROLES)}")
        return value

    @field_validator("last_day", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("state_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @property
    def lake_root(self) -> str:
        """Root of the lake as a URL or path, e.g. `/srv/cuvee/lake` or `s3://wine/lake`."""
        return self.lake_url or str(self.state_dir / "lake")

    @property
    def tracking_uri(self) -> str:
        """MLflow tracking URI, e.g. `sqlite:////srv/cuvee/mlflow/mlflow.db`."""
        return self.mlflow_tracking_uri or f"sqlite:///{self.state_dir / 'mlflow' / 'mlflow.db'}"

    @property
    def warehouse_dsn(self) -> str:
        """SQLAlchemy URL of the warehouse, password included: never log it.

        Empty when neither `CUVEE_WAREHOUSE_URL` is set nor the embedded PostgreSQL was ever started.
        """
        explicit = self.warehouse_url.get_secret_value()
        if explicit:
            return explicit
        recorded = self.state_dir / "postgres" / "warehouse.url"
        return recorded.read_text().strip() if recorded.exists() else ""


@lru_cache(maxsize=1)
def load_settings() -> Settings:
    """The settings of this process, read once from the environment.

    Raises ConfigurationError that names each wrong variable.
    """
    try:
        return Settings()
    except ValidationError as error:
        # Not the values: one of them may be a secret.
        wrong = "; ".join(f"{_variable(problem['loc'])}: {problem['msg']}" for problem in error.errors())
        raise ConfigurationError(f"{wrong}. `python -m include settings` explains every setting.") from None


def _variable(location: tuple[int | str, ...]) -> str:
    """The environment variable of a field, e.g. `CUVEE_SHARD_SIZE`."""
    name = str(location[0])
    return name if name not in Settings.model_fields else f"CUVEE_{name.upper()}"
