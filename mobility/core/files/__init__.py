"""Private files: pictures people send and archives made for them.

Features call `files.register(…)` for each purpose of theirs, then `files.store_image(…)`; people read at
`/api/v1/files/{id}` what is theirs or what the purpose lets them see.
"""

from mobility.core.files.models import StoredFile
from mobility.core.files.registry import may_read, register
from mobility.core.files.rules import FileNotAnImage, FileTooLarge
from mobility.core.files.services import (
    FileMissing,
    FileTaken,
    forget_outlived,
    keep_until,
    open_file,
    remove_files,
    store_file,
    store_image,
    take_file,
)

__all__ = [
    "FileMissing",
    "FileNotAnImage",
    "FileTaken",
    "FileTooLarge",
    "StoredFile",
    "forget_outlived",
    "keep_until",
    "may_read",
    "open_file",
    "register",
    "remove_files",
    "store_file",
    "store_image",
    "take_file",
]
