"""The page of one product: what it is, why it has its label, and how that came about."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.status import HTTP_404_NOT_FOUND

from include.characters import is_usable_address
from include.models.reasons.reading import ProductReasons, reasons_of
from include.models.reasons.sentences import REVIEW_REASONS, describe_review
from include.pages.attributions import attributions
from include.pages.web import product_words
from include.pages.web.access import CurrentViewer, router_for
from include.pages.web.data import CurrentData
from include.pages.web.host import Right
from include.pages.web.rendering import render
from include.quality.reasons import describe_flag
from include.warehouse.known_products import labelled_among
from include.warehouse.product_details import read_product
from include.warehouse.reading import read

router = router_for(Right.VIEW)


@router.get("/products/{product_id:path}")
def product(request: Request, viewer: CurrentViewer, data: CurrentData, product_id: str) -> Response:
    """The page; 404 for an id that no labelled product has."""
    with read(data.engine) as connection:
        details = read_product(connection, product_id)
    if details is None:
        raise HTTPException(
            HTTP_404_NOT_FOUND,
            "No labelled product has this id. The record may have been set aside: see the page Validation. Products of "
            "a catalogue train the model, and have no page.",
        )
    found = details.product
    reasons = reasons_of(data.lake, product_id, found["source"], found["last_seen_day"], found["model_version"])
    alike = reasons.neighbours if reasons else ()
    return render(
        request,
        "product.html",
        viewer,
        section="products",
        product=found,
        details=details,
        verdict=verdict(found, reasons),
        remarks=remarks(found, reasons),
        reasons=reasons,
        linked=labelled_among(data.engine, [one.product_id for one in alike]),
        is_web_address=is_web_address(found["url"]),
        attributions=attributions({found["source"], *(one.source for one in alike)}),
        words=product_words,
    )


def verdict(product: dict[str, Any], reasons: ProductReasons | None) -> str:
    """Who decided and how surely, as a sentence."""
    if product["decided_by"] == "human":
        return "A person decided this label; it stays whatever a model says later."
    sure = f"confidence {product['confidence']:.2f}"
    if reasons and reasons.needed_confidence is not None:
        sure += f"; this label needs {reasons.needed_confidence:.2f}"
    if product["decision"] == "accepted":
        return f"The model is confident enough to be believed without a person: {sure}."
    return f"A person should look ({sure})."


def remarks(product: dict[str, Any], reasons: ProductReasons | None) -> list[str]:
    """Why the label is for review, and the flags of the record, as sentences; nothing twice."""
    codes = () if reasons is None or product["decided_by"] == "human" else reasons.review_reasons
    needed = reasons.needed_confidence if reasons else None
    why = [describe_review(code, product["predicted_confidence"], needed) for code in codes]
    return why + [describe_flag(flag) for flag in product["flags"] or () if not (codes and flag in REVIEW_REASONS)]


def is_web_address(address: str | None) -> bool:
    """Whether a link may lead there: an address of http or https, as browsers read it."""
    if not address or not is_usable_address(address):
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
