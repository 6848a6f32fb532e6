"""Looks at a running test, by Simpson's rule and nothing else."""

import numpy as np
from scipy import stats

POINTS = 2_001
WIDEST = 12.0  # standard deviations; no path is further out


def crossings(information, quantile, drift=0.0):
    """Probability of crossing first at each look: above, and below.

    P. Armitage, C. K. McPherson and B. C. Rowe (1969), "Repeated significance
    tests on accumulating data", Journal of the Royal Statistical Society A
    132(2), 235-244: the density of the paths inside, from look to look.
    """
    simpson = np.ones(POINTS)
    simpson[1:-1:2], simpson[2:-1:2] = 4, 2
    places, masses, time = np.zeros(1), np.ones(1), 0.0
    above, below = [], []
    for now, bound in zip(information, quantile, strict=True):
        mean, deviation = drift * (now - time), np.sqrt(now - time)
        edge = bound * np.sqrt(now)
        ahead = places + mean
        above.append(masses @ stats.norm.sf((edge - ahead) / deviation))
        below.append(masses @ stats.norm.cdf((-edge - ahead) / deviation))
        reach = min(bound, WIDEST + abs(drift)) * np.sqrt(now)
        points = np.linspace(-reach, reach, POINTS)
        step = (points[:, np.newaxis] - ahead) / deviation
        density = np.exp(-(step**2) / 2) @ masses / deviation
        masses = simpson * density * reach * 2 / (POINTS - 1) / 3
        masses /= np.sqrt(2 * np.pi)
        places, time = points, now
    return np.array(above), np.array(below)
