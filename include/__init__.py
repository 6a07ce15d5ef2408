"""Cuvée: labels consumer products from their text and their photo."""
