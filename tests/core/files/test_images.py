"""Pictures of strangers: what is kept shows the same and says nothing else."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from mobility.core.files.rules import (
    MAX_IMAGE_BYTES,
    FileNotAnImage,
    FileTooLarge,
    clean_image,
)


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    """A red picture with a blue left edge."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (0, 0, size[0] // 4, size[1]))
    written = io.BytesIO()
    image.save(written, format=kind, **options)
    return written.getvalue()


def shown(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_the_place_where_a_picture_was_taken_does_not_survive() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Telefono di Giulia"
    exif.get_ifd(0x8825)[1] = "N"
    taken = picture(exif=exif, comment=b"via Brembo 20", icc_profile=b"profile of a camera")
    assert b"Telefono di Giulia" in taken
    kept = clean_image(taken)
    for trace in (b"Telefono", b"Exif", b"via Brembo", b"profile of"):
        assert trace not in kept.data, trace
    assert not shown(kept.data).getexif()
    assert (kept.content_type, kept.width, kept.height) == ("image/jpeg", 40, 30)


def test_a_picture_held_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees to show
    kept = shown(clean_image(picture(exif=exif)).data)
    assert kept.size == (30, 40)
    red, _green, blue = kept.convert("RGB").getpixel((15, 1))
    assert blue > 200 > red  # what was left is now above


def test_what_hides_beside_a_png_is_left_behind() -> None:
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", "<script>alert(1)</script>")
    data = picture("PNG", pnginfo=words) + b"PK\x03\x04 an archive behind the picture"
    kept = clean_image(data)
    assert b"script" not in kept.data
    assert b"PK\x03\x04" not in kept.data


def test_glass_stays_transparent_and_formats_stay_theirs() -> None:
    pane = io.BytesIO()
    Image.new("RGBA", (4, 4), (1, 2, 3, 0)).save(pane, format="PNG")
    assert shown(clean_image(pane.getvalue()).data).getpixel((0, 0))[3] == 0
    assert clean_image(picture("WEBP")).content_type == "image/webp"
    assert clean_image(picture("PNG")).content_type == "image/png"


def png_of(width: int, height: int) -> bytes:
    """A PNG of a few bytes that unfolds to width × height."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + chunk(b"IDAT", zlib.compress(b"\x00" * 100))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(7000, 7000), (60_000, 60_000), (100_000, 401)])
def test_a_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    with pytest.raises(FileTooLarge):
        clean_image(png_of(width, height))


def test_more_bytes_than_a_picture_needs_are_not_even_looked_at() -> None:
    with pytest.raises(FileTooLarge):
        clean_image(b"\xff" * (MAX_IMAGE_BYTES + 1))


@pytest.mark.parametrize(
    "data",
    [b"", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a" + b"\x00" * 40,
     picture("TIFF"), picture("BMP"), picture()[:200], png_of(100, 100)],
)  # fmt: skip
def test_what_is_no_whole_jpeg_png_or_webp_is_refused(data: bytes) -> None:
    with pytest.raises(FileNotAnImage):
        clean_image(data)


@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP"]),
    at=st.integers(min_value=0, max_value=700),
    value=st.binary(min_size=1, max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_bytes_gone_wrong_are_a_picture_or_a_refusal(kind: str, at: int, value: bytes) -> None:
    good = picture(kind)
    spoilt = good[:at] + value + good[at + len(value) :]
    try:
        kept = clean_image(spoilt)
    except (FileNotAnImage, FileTooLarge):
        return
    shown(kept.data).verify()
