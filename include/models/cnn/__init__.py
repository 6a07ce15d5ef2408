"""Convolutional networks trained on the platform's own photos, with Keras 3 on any of its backends.

    python -m include train-cnn scratch-small

| file                 | what                                                                    |
|----------------------|-------------------------------------------------------------------------|
| `recipes.py`         | how a network is built and trained, by name                             |
| `labelled_photos.py` | which photos, with which label; the grouped part that is held out       |
| `photo_stream.py`    | photos from the packed Parquet files, a few batches in memory at a time |
| `augmentation.py`    | what happens to a training photo before the network sees it             |
| `networks.py`        | the network from scratch, and a given network with a new head           |
| `fitting.py`         | the training itself: phases, early stopping, resumption                 |
| `checkpoints.py`     | what survives a kill                                                    |
| `export.py`          | the trained network in ONNX, compared with Keras                        |
| `classifier.py`      | labels from photos with the exported network, without Keras             |

The backend is Keras' own choice: `KERAS_BACKEND=tensorflow`, `torch` or `jax`, on whatever device that finds.
"""
