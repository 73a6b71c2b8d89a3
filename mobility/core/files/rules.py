"""Pictures from strangers: decoded, judged and drawn anew, so that only what one sees survives.

Writing a picture again from its pixels drops places, names, thumbnails and whatever else a camera or an
attacker put beside them.
"""

import dataclasses
import io
import struct
import zlib

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

from mobility.core.errors import DomainError

MAX_IMAGE_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 40_000_000
JPEG_QUALITY = 88
FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "application/zip": "zip",
    "application/pdf": "pdf",
}
# What Pillow's decoders raise on bytes that are no picture, or a broken one.
_NO_PICTURE = (
    OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, OverflowError,
    struct.error, zlib.error,
)  # fmt: skip


class FileTooLarge(DomainError):
    """More bytes or pixels than a picture needs."""

    code = "file_too_large"
    status = 413
    message = _("This file is too large: at most %(megabytes)d MB and %(megapixels)d megapixels.")

    def __init__(self) -> None:
        super().__init__(
            megabytes=MAX_IMAGE_BYTES // (1024 * 1024), megapixels=MAX_PIXELS // 1_000_000
        )


class FileNotAnImage(DomainError):
    """Not a JPEG, PNG or WebP that can be decoded to its end."""

    code = "file_not_an_image"
    status = 415
    message = _("This is not a picture we can read. Send a JPEG, PNG or WebP.")


@dataclasses.dataclass(frozen=True)
class CleanImage:
    """A picture as we keep it."""

    data: bytes
    content_type: str
    width: int
    height: int


def clean_image(data: bytes) -> CleanImage:
    """The picture in `data`, upright and without anything but its pixels.

    1. Judge the bytes (≤ 10 MB) and, from the header alone, the pixels (≤ 40 million): a bomb is
       refused before it unfolds. Raises `FileTooLarge`.
    2. Decode it to the last row; raises `FileNotAnImage` for what is none or ends early.
    3. Turn it as its orientation says, and draw it on an empty sheet in the same format.
    """
    if len(data) > MAX_IMAGE_BYTES:
        raise FileTooLarge
    try:
        with Image.open(io.BytesIO(data), formats=list(FORMATS)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise FileTooLarge
            return _drawn_anew(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise FileTooLarge from None
    except _NO_PICTURE:
        raise FileNotAnImage from None


def _drawn_anew(image: Image.Image) -> CleanImage:
    kind = str(image.format)
    image.load()
    upright = ImageOps.exif_transpose(image)
    mode = "RGBA" if kind != "JPEG" and upright.has_transparency_data else "RGB"
    sheet = Image.new(mode, upright.size)
    sheet.paste(upright.convert(mode))
    written = io.BytesIO()
    options = {} if kind == "PNG" else {"quality": JPEG_QUALITY}
    sheet.save(written, format=kind, **options)
    return CleanImage(
        data=written.getvalue(),
        content_type=FORMATS[kind],
        width=sheet.width,
        height=sheet.height,
    )
