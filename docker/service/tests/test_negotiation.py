"""Which media type a client gets."""

import pytest

from api.negotiation import best


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("image/png", "image/png"),
        ("image/*", "image/webp"),
        ("IMAGE/PNG", "image/png"),
        ("image/webp;q=0.2, image/jpeg;q=0.8", "image/jpeg"),
        ("image/png;q=0.5, application/json", "application/json"),
        ("image/png, */*", "image/png"),
        ("*/*, application/json;q=0", "image/webp"),
        ("image/gif, image/png;q=0.1", "image/png"),
        ("image/gif", None),
        ("text/html", None),
        ("image/png;q=0", None),
    ],
)
def test_the_best_of_what_a_client_accepts(accept: str, expected: str | None) -> None:
    offered = ["application/json", "image/webp", "image/png", "image/jpeg"]
    assert best(accept, offered) == expected
