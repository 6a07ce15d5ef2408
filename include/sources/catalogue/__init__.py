"""Catalogue files: Flipkart CSV, Open Food Facts exports and dumps, plain CSV, Parquet and JSON lines.

catalogue = open_catalogue(Path("flipkart.csv"))        # CatalogueRefused, or the whole file is fine
for record in catalogue.read(): ...                     # Product or Rejection, one for each row
"""

from include.sources.catalogue.catalogue import KINDS, Catalogue, Kind, default_source, open_catalogue
from include.sources.catalogue.columns import ColumnMapping

__all__ = ["KINDS", "Catalogue", "ColumnMapping", "Kind", "default_source", "open_catalogue"]
