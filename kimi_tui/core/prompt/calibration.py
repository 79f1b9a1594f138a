"""Estimates of tokens, calibrated by what the endpoint told for earlier turns of the same session.

Two rates are fitted, tokens to a byte and tokens to a CJK character, by least squares over what was told (ridge
regression towards the usual rates, so that little data moves them little). Markers are one token each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from kimi_tui.core.prompt.token_estimate import BYTES_PER_TOKEN, TextCounts, counts_of, rough_tokens

USUAL_PER_BYTE = 1 / BYTES_PER_TOKEN
USUAL_PER_IDEOGRAPH = 1.0
PER_BYTE_ENDS = (1 / 8, 1 / 2)
"""Sane bounds: no tokeniser of ordinary text is beyond them. A guess."""
PER_IDEOGRAPH_ENDS = (0.4, 2.0)
MOST_TOKENS_PER_CHAR = max(PER_IDEOGRAPH_ENDS[1], 4 * PER_BYTE_ENDS[1])
"""No character is estimated at more."""
ODD_RATIO = 5.0
"""What is told to be so many times more or less than estimated is of something else, and is left aside."""
PRIOR_TOKENS = 40.0
"""How many tokens the usual rates weigh as much as."""


@dataclass(frozen=True, slots=True)
class Sample:
    counts: TextCounts
    told: int
    """Its tokens, as the endpoint counted them."""


@dataclass(frozen=True, slots=True)
class Calibration:
    per_byte: float = USUAL_PER_BYTE
    per_ideograph: float = USUAL_PER_IDEOGRAPH

    def of(self, counts: TextCounts) -> float:
        """Estimate the tokens of a text that was counted."""
        return counts.markers + counts.ideographs * self.per_ideograph + counts.other_bytes * self.per_byte

    def size(self, counts: TextCounts) -> int:
        """The same in whole tokens, rounded up."""
        return math.ceil(self.of(counts))

    def tokens(self, *texts: str) -> int:
        """Estimate those of texts; of very long ones a sample is looked at."""
        return rough_tokens(*texts, estimate=self._tokens)

    def _tokens(self, text: str) -> float:
        return self.of(counts_of(text))


UNCALIBRATED = Calibration()


def calibrate(samples: Iterable[Sample]) -> Calibration:
    """Fit the rates; each sample weighs by its size."""
    bytes_bytes, bytes_cjk = PRIOR_TOKENS / USUAL_PER_BYTE**2, 0.0
    cjk_cjk = PRIOR_TOKENS / USUAL_PER_IDEOGRAPH**2
    bytes_told, cjk_told = bytes_bytes * USUAL_PER_BYTE, cjk_cjk * USUAL_PER_IDEOGRAPH
    for sample in samples:
        counts, usual = sample.counts, UNCALIBRATED.of(sample.counts)
        told = sample.told - counts.markers
        if usual <= 0 or not usual / ODD_RATIO <= sample.told <= usual * ODD_RATIO:
            continue
        bytes_bytes += counts.other_bytes**2 / usual
        cjk_cjk += counts.ideographs**2 / usual
        bytes_cjk += counts.other_bytes * counts.ideographs / usual
        bytes_told += counts.other_bytes * told / usual
        cjk_told += counts.ideographs * told / usual
    # The two normal equations, by Cramer's rule; the prior keeps their determinant above 0.
    determinant = bytes_bytes * cjk_cjk - bytes_cjk**2
    per_byte = (bytes_told * cjk_cjk - cjk_told * bytes_cjk) / determinant
    per_ideograph = (cjk_told * bytes_bytes - bytes_told * bytes_cjk) / determinant
    return Calibration(_clamped(per_byte, PER_BYTE_ENDS), _clamped(per_ideograph, PER_IDEOGRAPH_ENDS))


def _clamped(rate: float, ends: tuple[float, float]) -> float:
    return min(max(rate, ends[0]), ends[1])
