"""Divided differences of the exponential function: what exponentials that pass through each other amount to.

    divided(p, q) = (exp(p) - exp(q)) / (p - q)
    divided2(p, q, r) = (divided(p, q) - divided(q, r)) / (p - r)

These are the integrals of exp over the segment from p to q, and over the triangle of p, q and r: symmetric, and smooth
where arguments are equal. The formulas lose digits there, and are not used there.
"""

from .exponential import exp, expm1


def divided(p, q):
    """First divided difference, relative error below 1e-15.

    >>> divided(0.0, 0.0), divided(0.0, -1000.0)
    (1.0, 0.001)
    """
    top, low = max(p, q), min(p, q)
    x = low - top
    return exp(top) * (expm1(x) / x if x < 0.0 else 1.0)


def divided2(p, q, r):
    """Second divided difference: by its series where all arguments are nearer than 1, relative error below 1e-14.

    >>> divided2(0.0, 0.0, 0.0), round(divided2(0.0, -50.0, -1000.0), 12)
    (0.5, 2e-05)
    """
    top, low = max(p, q, r), min(p, q, r)
    middle = max(min(p, q), min(max(p, q), r))
    x, y = low - top, middle - top
    if x < -1.0:
        return (divided(top, middle) - divided(middle, low)) / -x
    total, power, mixed, share = 0.5, 1.0, 1.0, 0.5
    for k in range(3, 21):
        power *= x
        mixed = power + y * mixed  # the sum of x^i y^j over i + j = k - 2
        share /= k
        total += share * mixed
    return exp(top) * total
