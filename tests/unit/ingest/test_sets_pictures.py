"""Pictures become grey by content alone; a changed or broken file is said, never guessed."""

import hashlib
import io
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from dsn_saal.domain.errors import CheckFailed
from dsn_saal.ingest.reasons import Excluded, Reason
from dsn_saal.ingest.sets.picture import MAX_SIDE, decode, read_picture

GREY = np.random.default_rng(0).integers(0, 256, (40, 56), dtype=np.uint8)


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA"])
def test_equal_channels_give_their_own_value_whatever_the_mode(mode):
    picture = decode(encoded(Image.fromarray(GREY).convert(mode), "PNG"))
    np.testing.assert_array_equal(picture.grey, GREY)
    assert picture.kind == f"image/png {mode}" and not picture.phantom
    assert picture.sha256 == hashlib.sha256(GREY.tobytes()).hexdigest()


def test_palette_one_bit_and_sixteen_bits_are_read():
    palette = Image.fromarray(GREY).convert("P")
    np.testing.assert_array_equal(decode(encoded(palette, "PNG")).grey, np.asarray(palette.convert("RGB"))[..., 0])
    bits = Image.fromarray(GREY > 128)
    assert set(np.unique(decode(encoded(bits, "PNG")).grey)) == {0, 255}
    deep = Image.fromarray(GREY.astype(np.uint16) * 257)
    np.testing.assert_array_equal(decode(encoded(deep, "PNG")).grey, GREY)


def test_what_is_transparent_lies_on_black():
    rgba = np.dstack([GREY, GREY, GREY, np.where(np.arange(56) < 28, 255, 0) + np.zeros((40, 1), int)]).astype(np.uint8)
    grey = decode(encoded(Image.fromarray(rgba), "PNG")).grey
    np.testing.assert_array_equal(grey[:, :28], GREY[:, :28])
    assert not grey[:, 28:].any()


def test_colour_is_luma_as_another_library_has_it():
    colour = np.random.default_rng(1).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    theirs = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)
    ours = decode(encoded(Image.fromarray(colour), "PNG")).grey
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_jpeg_is_known_by_its_content_and_decoded_as_another_library_does():
    smooth = cv2.GaussianBlur(GREY, (9, 9), 3)
    content = encoded(Image.fromarray(smooth), "JPEG", quality=90)
    picture = decode(content)
    assert picture.kind == "image/jpeg L"
    theirs = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert np.abs(picture.grey.astype(int) - theirs).max() <= 2
    assert decode(encoded(Image.fromarray(smooth).convert("CMYK"), "JPEG")).grey.shape == smooth.shape


def test_metadata_are_ignored_but_for_the_mark():
    plain = Image.fromarray(GREY)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010E] = "a patient's name"
    picture = decode(encoded(plain, "PNG", exif=exif))
    assert picture.grey.shape == GREY.shape and "name" not in picture.kind
    assert decode(encoded(plain, "JPEG", comment=b"QualityControlImage=YES")).phantom
    assert not decode(encoded(plain, "JPEG", comment=b"QualityControlImage=NO")).phantom


def bomb(side):
    """A small PNG file that claims to be huge."""

    def chunk(kind, body):
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    head = side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


PNG, JPEG = encoded(Image.fromarray(GREY), "PNG"), encoded(Image.fromarray(GREY), "JPEG")


@pytest.mark.parametrize(
    ("content", "reasons"),
    [
        (b"", {Reason.NOT_AN_IMAGE}),
        (b"GIF89a" + bytes(50), {Reason.NOT_AN_IMAGE}),
        (PNG[:8], {Reason.DECODER_FAILED, Reason.TRUNCATED}),
        (PNG[: len(PNG) // 2], {Reason.TRUNCATED, Reason.DECODER_FAILED}),
        (JPEG[: len(JPEG) // 2], {Reason.TRUNCATED}),
        (PNG[:60] + bytes(40) + PNG[100:], {Reason.DECODER_FAILED, Reason.TRUNCATED}),
        (bomb(60_000), {Reason.TOO_LARGE}),
        (bomb(MAX_SIDE + 1), {Reason.TOO_LARGE}),
    ],
)  # fmt: skip
def test_what_cannot_be_decoded_has_a_reason(content, reasons):
    with pytest.raises(Excluded) as refused:
        decode(content)
    assert refused.value.reason in reasons


def test_a_file_that_changed_is_not_read_again(tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    digest = hashlib.sha256(PNG).hexdigest()
    np.testing.assert_array_equal(read_picture(tmp_path, "a.png", 0, digest), GREY)
    (tmp_path / "a.png").write_bytes(JPEG)
    with pytest.raises(CheckFailed, match="changed after it was ingested"):
        read_picture(tmp_path, "a.png", 0, digest)
    (tmp_path / "a.png").unlink()
    with pytest.raises(CheckFailed, match="cannot be read"):
        read_picture(tmp_path, "a.png", 0, digest)
