from lmdeck.config.lines import line_of, places

TOML = '''\
url = "x"   # 1
command = [
  "a",  # b = 3
  "b = 3",
]
  [servers."a.b"]

url = """
[c]
"""
[keys]
loaded.unload = "x"
'app.quit' = "y"
headers = { A = "b" }
[[list.of]]
a = 1
'''


def test_every_setting_has_its_line():
    assert places(TOML) == {
        ("url",): 1,
        ("command",): 2,
        ("servers",): 6,
        ("servers", "a.b"): 6,
        ("servers", "a.b", "url"): 8,
        ("keys",): 11,
        ("keys", "loaded"): 12,
        ("keys", "loaded", "unload"): 12,
        ("keys", "app.quit"): 13,
        ("keys", "headers"): 14,
        ("keys", "headers", "A"): 14,
        ("list",): 15,
        ("list", "of"): 15,
        ("list", "of", "a"): 16,
    }


def test_what_has_no_line_has_that_of_the_table_around_it():
    known = places(TOML)
    assert line_of(("servers", "a.b", "url"), known) == 8
    assert line_of(("servers", "a.b", "token"), known) == 6
    assert line_of(("nowhere",), known) is None
