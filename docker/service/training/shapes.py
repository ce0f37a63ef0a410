"""Captioned pictures, made by code: one or two coloured shapes on a coloured ground.

"a small red circle on a blue ground, left of a large green square". Words are left out and bytes
that mean nothing are put in, so that other prompts are taken for what is known of them.
"""

import re
from dataclasses import dataclass

import torch

from worker.tiny_sdxl.tokenizer import COLOURS, RELATIONS, SHAPES, SIZES, tokenizer

PALETTE = {
    "red": (215, 40, 40),
    "green": (40, 160, 70),
    "blue": (45, 85, 215),
    "yellow": (240, 210, 50),
    "purple": (140, 60, 180),
    "orange": (240, 130, 35),
    "white": (240, 240, 240),
    "black": (25, 25, 25),
}
_ALONE = ((0.12, 0.17), (0.32, 0.40), (0.19, 0.30))
_IN_A_PAIR = ((0.08, 0.11), (0.17, 0.20), (0.12, 0.16))
"""Radii of small, large and other shapes. Of a side."""
_WAYS = ((-1, 0), (1, 0), (0, -1), (0, 1))
"""Where the first of a pair is, as seen from the second."""
_LENGTH = 77
_TEXTS = (*COLOURS, *SHAPES, *SIZES, *RELATIONS, "a", "an", "the", "on", "ground", "background")
_PIECE = re.compile(r"[a-z]+(</w>)?")
"""Of words, as the tokenizer has them."""


@dataclass(frozen=True)
class Batch:
    tokens: torch.Tensor
    """n x 77."""
    pictures: torch.Tensor
    """n x 3 x side x side, -1 to 1."""


class Shapes:
    """Makes batches, all of it on the device."""

    def __init__(self, device: str, seed: int) -> None:
        self._device = device
        self._generator = torch.Generator(device).manual_seed(seed)
        self._tokenizer = words = tokenizer()
        self._palette = torch.tensor(list(PALETTE.values()), device=device) / 127.5 - 1

        self._radii = torch.tensor([_ALONE, _IN_A_PAIR], device=device)
        self._ways = torch.tensor(_WAYS, device=device)

        def ids(texts: tuple[str, ...]) -> torch.Tensor:
            """Of each text: its tokens, -1 where there is none."""
            lists = [words(text, add_special_tokens=False).input_ids for text in texts]
            assert max(map(len, lists)) <= 2, "a word is one token"
            return torch.tensor([[*it, -1][:2] for it in lists], device=device)

        self._colours, self._shapes, self._sizes, self._relations = map(
            ids, (COLOURS, SHAPES, SIZES, RELATIONS)
        )
        self._on, self._comma = ids(("on", ","))[:, 0].tolist()
        self._articles = ids(("a",) * 8 + ("an", "the"))[:, 0]
        self._grounds = ids(("ground", "background"))[:, 0]
        known = {f"{word}</w>" for text in _TEXTS for word in text.split()}
        pieces = words.get_vocab().items()
        self._pieces = torch.tensor(
            sorted(i for piece, i in pieces if _PIECE.fullmatch(piece) and piece not in known),
            device=device,
        )

    def _whole(self, n: int, below: int) -> torch.Tensor:
        return torch.randint(below, (n,), device=self._device, generator=self._generator)

    def _uniform(self, n: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        drawn = torch.rand(n, device=self._device, generator=self._generator)
        return low + (high - low) * drawn

    def _likely(self, n: int, chance: float) -> torch.Tensor:
        return self._uniform(n) < chance

    def batch(self, n: int, side: int) -> Batch:
        colours = torch.rand(n, len(COLOURS), device=self._device, generator=self._generator)
        first, ground, second = colours.argsort(1)[:, :3].unbind(1)
        second = torch.where(self._likely(n, 0.1), first, second)
        shapes, sizes = ([self._whole(n, 3) for _ in range(2)] for _ in range(2))
        pair, relation = self._likely(n, 0.4), self._whole(n, len(RELATIONS))
        # "and" says nothing of the place.
        place = torch.where(relation < len(_WAYS), relation, self._whole(n, len(_WAYS)))
        tokens = self._captions(pair, relation, [first, second], shapes, sizes, ground)
        way = self._ways[place] * pair[:, None]
        # Antialiased: a picture is drawn four times as large where it is small.
        more = max(1, 128 // side)
        picture = self._palette[ground][:, :, None, None]
        for turn, colour in enumerate((second, first)):
            x, y = (
                0.5
                + torch.where(pair, self._uniform(n, 0.2, 0.26), 0) * way[:, axis] * (2 * turn - 1)
                + self._uniform(n, -0.04, 0.04)
                for axis in (0, 1)
            )
            which = 1 - turn
            low, high = self._radii[pair.long(), sizes[which]].unbind(1)
            radius = low + (high - low) * self._uniform(n)
            inside = _coverage(shapes[which], x, y, radius, side * more)
            if turn == 0:
                inside = inside * pair[:, None, None]
            picture = torch.lerp(picture, self._palette[colour][:, :, None, None], inside[:, None])
        return Batch(tokens, torch.nn.functional.avg_pool2d(picture, more))

    def _captions(
        self,
        pair: torch.Tensor,
        relation: torch.Tensor,
        colours: list[torch.Tensor],
        shapes: list[torch.Tensor],
        sizes: list[torch.Tensor],
        ground: torch.Tensor,
    ) -> torch.Tensor:
        n = len(pair)
        nothing = torch.full((n,), -1, device=self._device)

        def word(ids: torch.Tensor | int, where: torch.Tensor | None = None) -> torch.Tensor:
            told = ids if isinstance(ids, torch.Tensor) else torch.full_like(nothing, ids)
            return told if where is None else torch.where(where, told, nothing)

        noisy, known = self._likely(n, 0.15), self._likely(n, 0.96)
        much = self._uniform(n)

        def noise(most: int) -> list[torch.Tensor]:
            pieces = (self._pieces[self._whole(n, len(self._pieces))] for _ in range(most))
            return [word(it, (noisy | ~known) & (self._uniform(n) < much)) for it in pieces]

        def article(where: torch.Tensor) -> torch.Tensor:
            ids = self._articles[self._whole(n, len(self._articles))]
            return word(ids, where & self._likely(n, 0.9))

        def thing(turn: int, where: torch.Tensor) -> list[torch.Tensor]:
            size = sizes[turn]
            return [
                article(where),
                word(self._sizes[size.clamp(max=1), 0], where & (size < 2)),
                word(self._colours[colours[turn], 0], where & self._likely(n, 0.92)),
                word(self._shapes[shapes[turn], 0], where & self._likely(n, 0.92)),
            ]

        pair, grounded = pair & known, known & self._likely(n, 0.85)
        ground_first = self._likely(n, 0.5)
        told_ground = [
            word(self._on, grounded),
            article(grounded),
            word(self._colours[ground, 0], grounded),
            word(self._grounds[self._whole(n, 2)], grounded),
        ]
        told_second = [
            word(self._comma, pair & grounded & ground_first),
            *(word(self._relations[relation, part], pair) for part in (0, 1)),
            *thing(1, pair),
        ]

        def either(one: list[torch.Tensor], other: list[torch.Tensor]) -> list[torch.Tensor]:
            return [torch.where(ground_first, a, b) for a, b in zip(one, other, strict=True)]

        parts = [
            word(self._tokenizer.bos_token_id),
            *noise(8),
            *thing(0, known),
            *either(told_ground + told_second, told_second + told_ground),
            *noise(16),
        ]
        ids = torch.stack(parts, 1)
        # What is there moves to the left, in its order.
        order = (ids < 0).to(torch.uint8).argsort(dim=1, stable=True)
        ids = ids.gather(1, order)
        end = self._tokenizer.eos_token_id
        return torch.nn.functional.pad(
            torch.where(ids < 0, end, ids), (0, _LENGTH - ids.shape[1]), value=end
        )


def _coverage(
    shape: torch.Tensor, x: torch.Tensor, y: torch.Tensor, radius: torch.Tensor, side: int
) -> torch.Tensor:
    """How much of each pixel the shape covers: n x side x side."""
    centres = (torch.arange(side, device=x.device) + 0.5) / side
    right = (centres[None, :] - x[:, None])[:, None, :]
    down = (centres[None, :] - y[:, None])[:, :, None]
    shape, radius = shape[:, None, None], radius[:, None, None]
    circle = (right**2 + down**2).sqrt() - radius
    square = torch.maximum(right.abs(), down.abs()) - 0.9 * radius
    slope = 5**-0.5 * (2 * right.abs() - down - radius)
    triangle = torch.maximum(slope, down - radius)
    distance = torch.where(shape == 0, circle, torch.where(shape == 1, square, triangle))
    return (0.5 - distance * side).clamp(0, 1)
