"""The words that the tiny model knows, one token each; of all others it reads the pieces."""

from functools import cache
from itertools import pairwise

from transformers import CLIPTokenizer

COLOURS = ("red", "green", "blue", "yellow", "purple", "orange", "white", "black")
SHAPES = ("circle", "square", "triangle")
SIZES = ("small", "large")
RELATIONS = ("left of", "right of", "above", "below", "and")
_WORDS = (
    *COLOURS,
    *SHAPES,
    *SIZES,
    *(word for relation in RELATIONS for word in relation.split()),
    *("a", "an", "the", "on", "ground", "background", ","),
)

START, END = "<|startoftext|>", "<|endoftext|>"


def tokenizer() -> CLIPTokenizer:
    """Knows the words that it was trained with, and of all others pieces of words."""
    return CLIPTokenizer(
        vocab=vocabulary(),
        merges=_merges(),
        bos_token=START,
        eos_token=END,
        unk_token=END,
        pad_token=END,
        model_max_length=77,
    )


def _byte_alphabet() -> list[str]:
    """The printable stand-ins for the 256 bytes that byte-level tokenizers use."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) for byte in printable] + [chr(256 + n) for n in range(len(others))]


@cache
def _merges() -> list[tuple[str, str]]:
    """Of byte pair encoding, until each word is one token: always the pair that is there most."""
    words = [[*word[:-1], f"{word[-1]}</w>"] for word in _WORDS]
    merges: list[tuple[str, str]] = []
    while pairs := [pair for word in words for pair in pairwise(word)]:
        best = max(sorted(pairs), key=pairs.count)
        merges.append(best)
        words = [_merged(word, best) for word in words]
    return merges


def _merged(word: list[str], pair: tuple[str, str]) -> list[str]:
    pieces: list[str] = []
    for piece in word:
        if pieces and (pieces[-1], piece) == pair:
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


@cache
def vocabulary() -> dict[str, int]:
    alphabet = _byte_alphabet()
    pieces = [*alphabet, *(letter + "</w>" for letter in alphabet), *map("".join, _merges())]
    return {piece: index for index, piece in enumerate(dict.fromkeys([*pieces, START, END]))}
