"""Doors of private files: read one that is yours, and send pictures."""

import hashlib
from typing import Any, cast
from uuid import UUID

from django.http import FileResponse, HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from mobility.core import clock
from mobility.core.api import ReadView, WriteView
from mobility.core.files import registry
from mobility.core.files.models import StoredFile
from mobility.core.files.rules import EXTENSIONS, MAX_IMAGE_BYTES, FileTooLarge
from mobility.core.files.services import FileMissing, take_file
from mobility.core.principals import Principal

# Three pictures and the fields beside them; what is longer is not even read.
MAX_UPLOAD_BYTES = 3 * MAX_IMAGE_BYTES + 256 * 1024


class UploadView(WriteView):
    """A door that takes `multipart/form-data` with up to three pictures."""

    parser_classes = (MultiPartParser,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse by its announced length what nobody needs to send."""
        refuse_long(request)
        super().initial(request, *args, **kwargs)

    def fingerprint_body(self, request: HttpRequest) -> bytes:
        """What makes two uploads the same: fields and contents, whatever the boundary between them.

        Parsed here, to disk where it is long: the body as one string may be longer than Django holds.
        """
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_UPLOAD_BYTES:
            return b""  # refused in `initial`, and nothing of it remembered
        try:
            digest = hashlib.sha256(repr(sorted(request.POST.lists())).encode())
        except MultiPartParserError:
            return b""  # the parser of the door says so in its own words
        for name, uploads in sorted(request.FILES.lists()):
            for upload in uploads:
                digest.update(name.encode())
                for chunk in upload.chunks():
                    digest.update(chunk)
                upload.seek(0)
        return digest.digest()


def refuse_long(request: Request | HttpRequest) -> None:
    """Raise `FileTooLarge` for a body that announces more than three pictures can weigh."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_UPLOAD_BYTES:
        raise FileTooLarge


def image_bytes(upload: Any) -> bytes:
    """The content of an uploaded picture; raises `FileTooLarge` before reading one that is."""
    if upload.size > MAX_IMAGE_BYTES:
        raise FileTooLarge
    return cast("bytes", upload.read())


class FileView(ReadView):
    """GET /api/v1/files/{id}"""

    @extend_schema(responses={(200, kind): OpenApiTypes.BINARY for kind in EXTENSIONS})
    def get(self, request: Request, public_id: UUID) -> HttpResponseBase:
        """The content of a private file. 404 for whoever may not see it; some are handed out once (410)."""
        file = StoredFile.objects.present().filter(public_id=public_id).first()
        user: Any = request.user
        if file is None or not registry.may_read(user=user, file=file):
            raise FileMissing
        content = take_file(file=file, by=Principal(user.principal), at=clock.now())
        extension = EXTENSIONS.get(file.content_type, "bin")
        response = FileResponse(
            content,
            content_type=file.content_type,
            filename=f"{file.purpose}-{file.public_id}.{extension}",
            as_attachment=not file.content_type.startswith("image/"),
        )
        response["Cache-Control"] = "private, no-store"
        # Whatever is inside, a browser must take it for what we say and run none of it.
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response
