"""A camera (摄像头) that sees a QR code, so that what is scanned is read from a picture."""

from __future__ import annotations

from pathlib import Path

import qrcode

WIDTH, HEIGHT = 640, 480
FRAMES = 10
WHITE, BLACK, GREY = 235, 16, 128


def arguments(video: Path) -> tuple[str, ...]:
    """What makes Chromium take a film for its camera, and allow it unasked."""
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={video}",
    )


def film(video: Path, text: str) -> None:
    """A film in YUV4MPEG2 of a QR code that is held still; nothing but grey for an empty text."""
    frame = b"FRAME\n" + _luminance(text) + bytes([GREY]) * (WIDTH * HEIGHT // 2)
    video.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * FRAMES)


def _luminance(text: str) -> bytes:
    rows = [bytearray([GREY]) * WIDTH for _ in range(HEIGHT)]
    if text:
        code = qrcode.QRCode(border=4, error_correction=qrcode.ERROR_CORRECT_L)
        code.add_data(text)
        matrix = code.get_matrix()
        size = (HEIGHT - 20) // len(matrix)
        left, top = (WIDTH - size * len(matrix)) // 2, (HEIGHT - size * len(matrix)) // 2
        for y, line in enumerate(matrix):
            drawn = b"".join(bytes([BLACK if dark else WHITE]) * size for dark in line)
            for offset in range(size):
                rows[top + y * size + offset][left : left + len(drawn)] = drawn
    return b"".join(rows)
