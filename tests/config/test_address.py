import pytest

from lmdeck.config.address import normal_url
from lmdeck.config.errors import ConfigError


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://127.0.0.1:1234", "http://127.0.0.1:1234"),
        (" localhost:1234/ ", "http://localhost:1234"),
        ("box.lan", "http://box.lan"),
        ("https://box.lan/lmstudio/", "https://box.lan/lmstudio"),
        ("HTTP://box:1/v1", "http://box:1"),
        ("http://box:1/api/v1/", "http://box:1"),
        ("http://box:1/lm/api/v0", "http://box:1/lm"),
        ("[::1]:1234", "http://[::1]:1234"),
    ],
)
def test_an_address_is_made_normal(typed, url):
    assert normal_url(typed) == url
    assert normal_url(url) == url


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "http://",
        "ftp://box",
        "http://box:x",
        "http://box:99999",
        "http://box:0",
        "http://[::1",
        "http://a b",
        "http://-x",
        "http://box/?q=1",
        "http://box/#f",
        "http://box\x1b[2J",
        "http://bo\nx",
    ],
)
def test_what_is_no_address_is_told(typed):
    with pytest.raises(ConfigError):
        normal_url(typed)


@pytest.mark.parametrize("typed", ["http://me:secret@box", "me:secret@box:1234", "http://me:secret@box:x"])
def test_a_password_in_the_address_is_refused_and_not_repeated(typed):
    with pytest.raises(ConfigError) as caught:
        normal_url(typed)
    assert "secret" not in str(caught.value)
    assert "LM_API_TOKEN" in str(caught.value)
