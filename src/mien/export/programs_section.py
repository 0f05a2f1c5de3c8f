"""The part of a model card's page that says how other programs read faces with the file."""

from __future__ import annotations

from mien.card import INPUT, METADATA_KEY, ModelCard
from mien.inference.detectors import Framing, haar, yunet

TEXT = """\
## In other programs

ONNX Runtime reads the file in any of its languages.

- The input `{input}` is float32 (N, 1, {size}, {size}): grey pixels of faces, 0 to 255, less
  {mean:g} and divided by {std:g}.
- A face is a square of the picture. Around the box that OpenCV's `{cascade}`
  finds, its side is {haar.scale:g} times the box's width, and its centre lies {haar.shift:g} widths
  below the box's; around YuNet's box {yunet.scale:g} times and {yunet.shift:g} widths. What lies
  beyond the picture's edge repeats its pixels. The square is shrunk by areas, or enlarged by
  linear interpolation.
- {heads} are logits (N, expressions): the probabilities are their softmax after they were
  divided by the temperature.{signals}
- Expressions, temperatures, size, mean and divisor stand in the file's metadata, as JSON under
  `{key}`.

In Python, with `x, y, width, height` the box of a face in whole pixels, as `haar` finds it:

```python
import json
import cv2
import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("{name}.onnx")
card = json.loads(session.get_modelmeta().custom_metadata_map["{key}"])
head, see = card["heads"][0], card["preprocess"]
grey = cv2.cvtColor(cv2.imread("photo.png"), cv2.COLOR_BGR2GRAY)
side = {haar.scale:g} * width
edge = round(side)
grey = cv2.copyMakeBorder(grey, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
left = edge + round(x + width / 2 - side / 2)
top = edge + round(y + height / 2 + {haar.shift:g} * width - side / 2)
crop = grey[top : top + edge, left : left + edge]
how = cv2.INTER_AREA if edge > see["size"] else cv2.INTER_LINEAR
crop = cv2.resize(crop, (see["size"], see["size"]), interpolation=how)
faces = (crop[None, None].astype("float32") - see["mean"]) / see["std"]
(logits,) = session.run([head["name"]], {{"{input}": faces}})
powers = np.exp((logits[0] - logits[0].max()) / head["temperature"])
for expression, share in zip(head["expressions"], powers / powers.sum()):
    print(expression, round(float(share), 3))
```
"""

SIGNALS = " {names} are logits (N, 1), each for a sigmoid."


def programs_section(card: ModelCard) -> str:
    """Return what another program must do to read what `mien` reads, with a model's own numbers."""
    framings: dict[str, Framing] = {"haar": haar.FRAMING, "yunet": yunet.FRAMING}
    signals = " and ".join(f"`{name}`" for name in card.signals)
    return TEXT.format(
        **framings,
        input=INPUT,
        key=METADATA_KEY,
        name=card.name,
        cascade=haar.CASCADE,
        size=card.preprocess.size,
        mean=card.preprocess.mean,
        std=card.preprocess.std,
        heads=" and ".join(f"`{head.name}`" for head in card.heads),
        signals=SIGNALS.format(names=signals) if signals else "",
    )
