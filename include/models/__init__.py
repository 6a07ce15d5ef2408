"""From trusted labels to predictions: dataset, training, calibration, the artefact and its registry."""
