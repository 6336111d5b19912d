"""QR codes (二维码, ISO/IEC 18004) as SVG, which scales and needs no picture library."""

from __future__ import annotations

from itertools import groupby

# Trying all eight masks takes most of the time, and what is signed is as random as any mask makes it.
_MASK = 0


def svg(text: str) -> str:
    """A standalone SVG of the text, one unit per module, its quiet zone included.

    Error correction is low: a screen is clean, and the coarser the code the sooner it is read.
    """
    # On first use: where a picture library is installed, it is loaded as well.
    from qrcode import QRCode
    from qrcode.constants import ERROR_CORRECT_L

    code = QRCode(error_correction=ERROR_CORRECT_L, border=4, mask_pattern=_MASK)
    code.add_data(text)
    rows = code.get_matrix()
    path = "".join(_bars(y, row) for y, row in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(rows)} {len(rows)}" '
        f'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{len(rows)}v{len(rows)}H0z"/><path d="{path}"/></svg>'
    )


def _bars(y: int, row: list[bool]) -> str:
    """One stroke for every run of dark modules."""
    bars, x = [], 0
    for dark, run in groupby(row):
        length = len(list(run))
        if dark:
            bars.append(f"M{x} {y}h{length}v1h-{length}z")
        x += length
    return "".join(bars)
