"""What the models are asked to say, in every mode, each with seeds far from ties on a CPU."""

from __future__ import annotations

from tests.engine.voxcpm.takes import Take

ZERO_SHOT = Take("Hello there, this is a test.", seed=1)
CONTINUED = Take("And so it went on.", seed=1, prompt=(1.0, 16_000), cfg=3.0, timesteps=7)
RESAMPLED = Take("From another rate.", seed=1, prompt=(0.9, 24_000), cfg=1.0, timesteps=2)
QUICK = Take("Quick.", seed=1, timesteps=2, cfg=1.5, patches=30)
SLOW = Take("Slow and careful, over a longer text than the others.", seed=1, timesteps=12)
LONG = Take("A long one.", seed=1, timesteps=4, patches=60)
REFERENCE = Take("In another's voice.", seed=1, reference=(1.3, 16_000), timesteps=5)
RESAMPLED_REFERENCE = Take("Heard elsewhere.", seed=1, reference=(0.7, 44_100), cfg=1.3)
COMBINED = Take("Both.", seed=1, reference=(0.5, 16_000), prompt=(0.6, 22_050), timesteps=6)

EXTREMES = [
    Take("One.", seed=0, timesteps=1, patches=6),
    Take("One hundred.", seed=2**63 - 1, timesteps=100, patches=4),
    Take("No guidance at all.", seed=3, cfg=0.0, patches=5),
    Take("Too much.", seed=4, cfg=10.0, patches=5),
    Take("One patch.", seed=5, patches=1),
]
"""The least and the most that may be asked for."""

WITHOUT_REFERENCE = [ZERO_SHOT, CONTINUED, RESAMPLED, QUICK, SLOW, LONG]
TAKES = {
    "voxcpm": WITHOUT_REFERENCE,
    "voxcpm1.5": [ZERO_SHOT, CONTINUED, QUICK],
    "voxcpm2": [*WITHOUT_REFERENCE, REFERENCE, RESAMPLED_REFERENCE, COMBINED],
}
