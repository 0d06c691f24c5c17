"""Lines of toned text: measured in cells, cut, padded, wrapped and searched."""

import pytest

from lmdeck.widgets.paint.line import Span, crop, fit, pack, pieces, plain, safe, say, width, wrap

WIDE = "模型"


def test_width_counts_wide_characters_twice():
    assert width((Span("ab"), Span(WIDE, "bad"))) == 6


@pytest.mark.parametrize(
    ("text", "cells", "shown"),
    [
        ("instance", 8, "instance"),
        ("instance", 5, "inst…"),
        (WIDE, 4, WIDE),
        (WIDE, 3, "模…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_crop(text, cells, shown):
    cropped = crop((Span(text),), cells)
    assert plain(cropped) == shown
    assert width(cropped) <= cells


def test_crop_of_a_wide_character_in_half_keeps_the_width():
    assert plain(crop((Span("模型-1"),), 4)) == "模 …"


def test_crop_keeps_tones():
    assert crop((Span("good ", "good"), Span("words", "bad")), 7) == (Span("good ", "good"), Span("w…", "bad"))


@pytest.mark.parametrize(("align", "shown"), [("left", "模  "), ("right", "  模")])
def test_fit_pads_by_cells(align, shown):
    assert plain(fit((Span("模"),), 4, align)) == shown


def test_text_from_outside_becomes_harmless():
    assert plain(say("\x1b[2J[bold]x[/]\nnext")) == "␛[2J[bold]x[/] next"
    assert safe("plain") == "plain"


def test_wrap_breaks_at_spaces_and_inside_long_words():
    assert wrap("down: connection refused", 12) == ["down:", "connection", "refused"]
    assert wrap("abcdefgh ij", 4) == ["abcd", "efgh", "ij"]
    assert wrap("one\n\ntwo", 10) == ["one", "", "two"]
    assert wrap("模型测试", 4) == ["模型", "测试"]


def test_pieces_mark_hits_across_spans_in_any_case():
    found = pieces((Span("Qwen", "strong"), Span("3-coder")), "EN3")
    assert [(piece.text, piece.hit) for piece in found] == [("Qw", False), ("en", True), ("3", True), ("-coder", False)]


def test_pieces_let_blanks_join_their_neighbours():
    line = Span("  "), Span("a", "muted"), Span("   "), Span("b", "muted"), Span("c")
    assert [tuple(piece)[:2] for piece in pieces(line)] == [("  a   b", "muted"), ("c", "")]


def test_pieces_lose_nothing_where_lower_case_is_longer():
    line = (Span("İstanbul İ"),)
    assert "".join(piece.text for piece in pieces(line, "i")) == "İstanbul İ"


def test_pack_takes_what_fits():
    words = [say("0 RTX 4090"), say("87 %"), say("61 °C")]
    assert plain(pack(words, 40)) == "0 RTX 4090  87 %  61 °C"
    assert plain(pack(words, 17)) == "0 RTX 4090  87 %"
    assert plain(pack(words, 5)) == "0 RT…"
