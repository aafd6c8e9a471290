"""Fixations from the samples of an eye tracker, as MIT1003's `checkFixations.m` finds them (Judd et al. 2009).

A saccade begins where the eye accelerates and ends where it has slowed down; what is between saccades is a fixation.
"""

import numpy as np

RATE = 240  # samples a second
WINDOW = 4  # samples that movements are averaged over, and velocities
ACCELERATION = 6 * 34  # pixels a second from one window to the next: 6 degrees, of the display's 34 pixels
SACCADE = 3  # samples in a row that accelerate, at least
SLOWING = 25  # samples in which a saccade ends
FIXATION = 12  # samples, 50 ms, that one has at least between two saccades


def find_fixations(samples: np.ndarray) -> np.ndarray:
    """The fixations of a recording.

    The velocity is the movement from sample to sample, averaged over four, in a window of five; the acceleration how
    much more it is in the next window. A saccade begins where that exceeds 204 pixels a second for three samples or
    more, and ends with the last sample of the first slowing by as much, within 25 samples; without one it is none,
    unless the recording ends with it. Saccades with fewer than 12 samples between them are one. The first fixation may
    be of any length; where 12 or fewer samples remain after the last saccade, it lasts to the end.

    Args:
        samples: Positions `(x, y)`, `(samples, 2)`; NaN where there are none.

    Returns:
        Rows `(x, y, time, duration)`: the medians of the valid samples, the onset in seconds since the first sample,
        and seconds.
    """
    if not len(samples):
        return np.empty((0, 4))
    begins, ends = _saccades(samples)
    starts, stops = np.r_[0, ends + 1], np.r_[begins, len(samples)]
    spans = [(start, stop) for start, stop in zip(starts, stops, strict=True) if start < len(samples)]
    return np.array([(*_median(samples[start:stop]), start / RATE, (stop - start) / RATE) for start, stop in spans])


def _median(samples):
    valid = samples[~np.isnan(samples).any(1)]
    return np.median(valid, 0) if len(valid) else (np.nan, np.nan)


def _saccades(samples):
    """The first and the last samples of saccades."""
    last = len(samples) - 1
    acceleration = _acceleration(samples)
    begins, tops = _runs(acceleration > ACCELERATION)
    long = tops - begins + 1 >= SACCADE
    begins, tops = begins[long], tops[long]
    _, slow = _runs(acceleration < -ACCELERATION)
    ends = np.r_[slow, len(samples) + SLOWING][np.searchsorted(slow, tops + 1)]
    if len(tops) == 1 and ends[0] > tops[0] + SLOWING and tops[0] == np.flatnonzero(acceleration)[-1]:
        return begins, np.array([last])
    found = ends <= tops + SLOWING
    begins, ends = begins[found], ends[found]
    apart = begins[1:] - ends[:-1] > FIXATION
    begins, ends = begins[np.r_[True, apart][: len(begins)]], ends[np.r_[apart, True][: len(ends)]]
    if len(ends) and last - ends[-1] <= FIXATION:
        ends[-1] = last
    return begins, ends


def _acceleration(samples):
    """How much faster the window is that begins one sample later, for each sample; zero at both ends."""
    moved = np.r_[0.0, np.hypot(*np.diff(samples, axis=0).T)]
    smooth = np.convolve(moved, np.full(WINDOW, 1 / WINDOW))[: len(samples)]
    acceleration = np.zeros(len(samples))
    end = max(len(samples) - WINDOW - 1, 1)
    acceleration[1:end] = (smooth[WINDOW + 2 :] - smooth[1:end]) * RATE / WINDOW
    return acceleration


def _runs(where):
    """The first and the last places of runs of True."""
    edges = np.diff(np.r_[False, where, False].astype("int8"))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
