"""Inputs for the programs: made here, the same every time."""
import hashlib
import pathlib
import zlib

WORDS = ("tern flies from the arctic to the antarctic and back every year so it sees more daylight "
         "than any other animal alive; nobody told the bird how far that is").split()


def noise(size, seed="noise"):
    """Bytes that do not compress."""
    out = b""
    number = 0
    while len(out) < size:
        out += hashlib.sha256(f"{seed}{number}".encode()).digest()
        number += 1
    return out[:size]


def prose(size):
    """Lines of words in an order that repeats now and then."""
    dice = noise(size // 4, "prose")
    lines, line = [], []
    for byte in dice:
        line.append(WORDS[byte % len(WORDS)])
        if len(line) > 8 + byte % 5:
            lines.append(" ".join(line))
            line = []
    return ("\n".join(lines) + "\n").encode()[:size]


def picture(width, height):
    """A binary PPM with smooth and busy parts."""
    out = bytearray(f"P6\n{width} {height}\n255\n".encode())
    for y in range(height):
        for x in range(width):
            out += bytes((x * 255 // width, y * 255 // height, (x * y * 7 ^ x * 3) & 255))
    return bytes(out)


def png(width, height):
    """The same picture, badly compressed."""
    pixels = picture(width, height)[-3 * width * height:]
    rows = b"".join(b"\0" + pixels[3 * width * y:3 * width * (y + 1)] for y in range(height))

    def chunk(kind, body):
        return (len(body).to_bytes(4, "big") + kind + body
                + zlib.crc32(kind + body).to_bytes(4, "big"))

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b""))


def table(rows):
    """Comma separated values."""
    dice = noise(rows, "table")
    lines = [f"{n},{WORDS[dice[n] % len(WORDS)]},{dice[n] * 1.25:.2f}" for n in range(rows)]
    return ("\n".join(lines) + "\n").encode()


def write_all(folder, more):
    """The common inputs and the recipe's own into a folder."""
    folder = pathlib.Path(folder)
    common = {"prose.txt": prose(300000), "noise.bin": noise(50000), "empty": b"",
              "picture.ppm": picture(160, 120), "table.csv": table(500)}
    for name, content in (common | more).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
