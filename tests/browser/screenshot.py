"""Opens a file in headless Chromium and returns what it shows, as rows of (red, green, blue)."""

import pathlib
import shutil
import struct
import subprocess
import tempfile
import zlib


def screenshot(page: pathlib.Path, width: int, height: int) -> list[list[tuple[int, int, int]]]:
    chromium = shutil.which("chromium")
    if chromium is None:
        raise RuntimeError("chromium is missing: scripts/test.sh --all installs it")
    with tempfile.TemporaryDirectory() as folder:
        picture = pathlib.Path(folder, "screenshot.png")
        subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
             f"--user-data-dir={folder}/profile", f"--window-size={width},{height}", f"--screenshot={picture}",
             page.resolve().as_uri()],
            check=True, capture_output=True, timeout=90)
        return decode_png(picture.read_bytes())


def decode_png(data: bytes) -> list[list[tuple[int, int, int]]]:
    """Decodes a PNG of 8 bits a channel, RGB or RGBA, without interlacing: what Chromium writes."""
    position, compressed, header = 8, b"", b""
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position:position + 8])
        body = data[position + 8:position + 8 + length]
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            compressed += body
        position += 12 + length
    width, height, depth, colour = struct.unpack(">IIBB", header[:10])
    assert depth == 8 and colour in (2, 6), "an 8-bit RGB or RGBA picture"
    channels = 3 if colour == 2 else 4
    raw, stride = zlib.decompress(compressed), width * channels
    rows, previous = [], bytearray(stride)
    for y in range(height):
        start = y * (stride + 1)
        previous = unfilter(raw[start], bytearray(raw[start + 1:start + 1 + stride]), previous, channels)
        rows.append([tuple(previous[x:x + 3]) for x in range(0, stride, channels)])
    return rows


def unfilter(kind: int, line: bytearray, above: bytearray, channels: int) -> bytearray:
    """Undoes one of PNG's five line filters (PNG specification, section 9)."""
    for x in range(len(line)):
        left = line[x - channels] if x >= channels else 0
        up = above[x]
        corner = above[x - channels] if x >= channels else 0
        if kind == 1:
            line[x] = (line[x] + left) & 255
        elif kind == 2:
            line[x] = (line[x] + up) & 255
        elif kind == 3:
            line[x] = (line[x] + (left + up) // 2) & 255
        elif kind == 4:
            estimate = left + up - corner
            nearest = min((abs(estimate - left), 0, left), (abs(estimate - up), 1, up), (abs(estimate - corner), 2, corner))
            line[x] = (line[x] + nearest[2]) & 255
    return line
