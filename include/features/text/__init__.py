"""Text encoders: from what is written about a product to a vector.

| spec                    | what it is                                                                  |
|-------------------------|-----------------------------------------------------------------------------|
| `bag-of-words`          | counts of the commonest words and pairs of words                            |
| `tfidf`                 | the same, weighed by how rare a term is                                     |
| `tfidf-svd`             | words, pairs, character n-grams and attribute names, reduced by SVD         |
| `word-vectors`          | word vectors trained on the documents at hand, their weighted mean          |
| `spacy:fr_core_news_md` | word vectors of an installed spaCy pipeline, their weighted mean            |
| `sentence:/models/e5`   | a sentence encoder in ONNX with its tokenizer, from a folder                |
| `sentence:ORG/NAME`     | the same from the local cache of the Hugging Face hub, or downloaded |

    encoder = fit_text_encoder(documents, choice)
    vectors = encoder.encode(["Moët & Chandon Brut Impérial"])   # (1, 256) float32
"""

from __future__ import annotations

from include.features.text.choice import TextEncoderChoice
from include.features.text.cleaning import document
from include.features.text.interface import TextEncoder
from include.features.text.loading import fit_text_encoder, load_text_encoder

__all__ = ["TextEncoder", "TextEncoderChoice", "document", "fit_text_encoder", "load_text_encoder"]
