"""Turn what the browser tests photographed into the small pictures of docs/screenshots.

`python -m tests.browser.pictures FROM TO`: every PNG in FROM becomes a WebP of the same name in TO; what
is in TO and was not photographed again goes.
"""

import sys
from pathlib import Path

from PIL import Image

QUALITY = 60


def remake(source: Path, target: Path) -> int:
    """Convert all of them; how many bytes they take."""
    target.mkdir(parents=True, exist_ok=True)
    taken = sorted(source.glob("*.png"))
    for old in target.glob("*.*"):
        if old.stem not in {one.stem for one in taken}:
            old.unlink()
    for one in taken:
        with Image.open(one) as picture:
            small = picture.convert("RGB")
        small.save(target / f"{one.stem}.webp", "WEBP", quality=QUALITY, method=6)
    return sum(one.stat().st_size for one in target.glob("*.webp"))


if __name__ == "__main__":
    size = remake(Path(sys.argv[1]), Path(sys.argv[2]))
    sys.stdout.write(f"{size / 1e6:.1f} MB of pictures\n")
