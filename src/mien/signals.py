"""What a model says of a face besides its expression: outputs of one value, learnt from votes."""

from __future__ import annotations

from typing import Literal, get_args

SignalName = Literal["agreement", "not_a_face"]
"""The signals there are:

- "agreement": how far raters would agree, as the chance that two of them name the same;
- "not_a_face": how likely the crop is no usable face, as the share of raters who would say so.
"""

SIGNALS: tuple[SignalName, ...] = get_args(SignalName)
