import pytest

from lmdeck.backend.decode import as_json, count, fields, flag, items, number, parse, record, records, text, texts

ODD = [None, True, 0, 1.5, "x", [], {}, float("nan"), float("inf"), 10**400]


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("getter", [text, number, count, flag, items, record])
def test_every_getter_answers_its_type_or_none(getter, value):
    found = getter(value)
    kinds = {text: str, number: float, count: int, flag: bool, items: list, record: dict}
    assert found is None or type(found) is kinds[getter]


def test_numbers_are_finite_and_never_booleans():
    assert number(3) == 3.0
    assert [number(odd) for odd in (True, float("nan"), float("inf"), 10**400, "3")] == [None] * 5


def test_a_count_is_whole_and_not_negative():
    assert (count(8192), count(8192.0), count(0)) == (8192, 8192, 0)
    assert [count(odd) for odd in (-1, 1.5, True, "1", None)] == [None] * 5


def test_collections_leave_out_what_does_not_fit():
    assert texts(["a", 1, None, "b"]) == ("a", "b")
    assert records([{"a": 1}, "b", None]) == [{"a": 1}]
    assert (texts("abc"), records({"a": 1}), fields([1])) == ((), [], {})


def test_parse_replaces_wrong_utf8_and_refuses_the_rest_with_valueerror():
    assert parse(b'{"a": "\xff"}') == {"a": "�"}
    for raw in (b"", b'{"a": ', b"<html>", b"[" * 100_000, b"1" * 10_000):
        with pytest.raises(ValueError, match=r"."):
            parse(raw)


def test_as_json_shows_a_text_as_it_is_and_anything_else_compactly():
    assert (as_json(None), as_json("à"), as_json({"b": "é"})) == ("", "à", '{"b": "é"}')
