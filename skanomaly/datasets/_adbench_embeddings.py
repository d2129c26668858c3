"""Tables of embeddings of ADBench whose contents could be verified: size and checksum."""

from typing import NamedTuple

__all__ = ["COLLECTIONS", "EMBEDDINGS", "Embedding"]

# Folders of the collection, with their number of columns where it is known.
COLLECTIONS: dict[str, int | None] = {
    "Classical": None,
    "CV_by_ResNet18": 512,
    "CV_by_ViT": 1000,
    "NLP_by_BERT": None,
    "NLP_by_RoBERTa": None,
}


class Embedding(NamedTuple):
    """Size and checksum of a table of embeddings."""

    n_samples: int
    n_anomalies: int
    digest: str


# The digest is that of the classical tables, with X as little-endian float32, by folder and name.
EMBEDDINGS: dict[tuple[str, str], Embedding] = {
    ("CV_by_ResNet18", "MVTec-AD_bottle"): Embedding(
        292, 63, "4a3452c4d1e84288c1e790751d9d8d68191de8c1e58f940e591806dd86a7d670"
    ),
    ("CV_by_ResNet18", "MVTec-AD_cable"): Embedding(
        374, 92, "f185c5567618437c3b7c2b1ebdd1142c3ce9a5abb2bc762a9b97294a5ae4ac75"
    ),
    ("CV_by_ResNet18", "MVTec-AD_carpet"): Embedding(
        397, 89, "2ced5d7afddf0237f409712f86bd037c4a96702791386a2463744d10ae1ddd1a"
    ),
    ("CV_by_ResNet18", "MVTec-AD_grid"): Embedding(
        342, 57, "0ab68641db271ae242ac4ae8404974f0cc21a9892e3a58a0107927cc711a2249"
    ),
    ("CV_by_ResNet18", "MVTec-AD_hazelnut"): Embedding(
        501, 70, "b7e5438da3710e6d68ffcaf43686017edd056e8fe5947ced5f99bc775249cf83"
    ),
    ("CV_by_ResNet18", "MVTec-AD_leather"): Embedding(
        369, 92, "5762d185fc6f5c9b2c45d467aac42f93d7a64e800bdeed1a6d1c6f0a187d55ce"
    ),
    ("CV_by_ResNet18", "MVTec-AD_pill"): Embedding(
        434, 141, "c2c2ca34cc0abf8712afe56e060bbad7a78b18f8fb2b02457a1eaaaa361a49ce"
    ),
    ("CV_by_ViT", "MVTec-AD_bottle"): Embedding(
        292, 63, "be17e741e1c3246c242948e213b0a2b92e8f2dafc6c7cb8f09d3440ec8e31e03"
    ),
    ("CV_by_ViT", "MVTec-AD_cable"): Embedding(
        374, 92, "2102c85d8b9d3f5d4427d5dde0ba77d9cbd5d4b457175efd5f19e0ac7fcd5fc5"
    ),
    ("CV_by_ViT", "MVTec-AD_carpet"): Embedding(
        397, 89, "609d8b5e9a1e580d5457817acca2d6420e59d178e87e6eb4d9b2fdc0a3fb6224"
    ),
    ("CV_by_ViT", "MVTec-AD_grid"): Embedding(
        342, 57, "53e115bfb198cc39a9da875de4aadee38d087904a419485fa10fabd04fb368e6"
    ),
    ("CV_by_ViT", "MVTec-AD_hazelnut"): Embedding(
        501, 70, "535a0fc501941a1dfaa5fafc6a9ff3109805766082658e6f32b0e39e0b3e2da0"
    ),
    ("CV_by_ViT", "MVTec-AD_leather"): Embedding(
        369, 92, "64bb2aa5982633798a2eed76ca59c39bc5e86e4f045840b99c90c18028a906ab"
    ),
    ("CV_by_ViT", "MVTec-AD_pill"): Embedding(
        434, 141, "231610cab024fb9ee868703f01755068a1cbab9c2cc08b693b45ef14ec2c7b00"
    ),
}
