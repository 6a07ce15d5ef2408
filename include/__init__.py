"""Cuvée: labels consumer products from their text and their photo."""

__version__ = "0.1.0"
