"""The table alone: cursor, refresh, sorting, filtering, and how little is painted."""

from dataclasses import dataclass, replace

import pytest

from lmdeck.widgets.column import Column
from lmdeck.widgets.table import Table


@dataclass(frozen=True)
class Row:
    key: str
    size: int | None = None


COLUMNS = [
    Column("NAME", lambda row: row.key, 8, 20, sort_key=lambda row: row.key),
    Column("NOTE", lambda row: "note", 4, priority=1),
    Column(
        "SIZE",
        lambda row: "–" if row.size is None else str(row.size),
        5,
        align="right",
        sort_key=lambda row: row.size,
        descending=True,
    ),
]
FRUIT = [Row("pear", 3), Row("apple", 1), Row("fig"), Row("plum", 7)]


def many(count):
    return [Row(f"row-{number:04}", number) for number in range(count)]


@pytest.fixture
def table():
    made = Table(COLUMNS, key=lambda row: row.key)
    made.styles.height = "1fr"
    return made


def names(table):
    return [row.key for row in table.shown]


async def test_rows_under_a_heading_with_a_marked_cursor(host, table, lines):
    async with host(table).run_test(size=(32, 6)) as pilot:
        table.set_rows(FRUIT)
        await pilot.pause()
        assert lines(table) == [
            " NAME               NOTE   SIZE",
            "▌pear               note      3",
            " apple              note      1",
            " fig                note      –",
            " plum               note      7",
            "",
        ]


async def test_wide_characters_keep_the_columns(host, table, lines):
    async with host(table).run_test(size=(24, 3)) as pilot:
        table.set_rows([Row("模型", 1), Row("模型-测试-七-八-九", 2)])
        await pilot.pause()
        assert lines(table)[1:] == ["▌模型       note      1", " 模型-测 …  note      2"]


async def test_hostile_text_is_shown_not_obeyed(host, table, lines):
    async with host(table).run_test(size=(40, 3)) as pilot:
        table.set_rows([Row("\x1b[2J[bold]x[/]", 1)])
        await pilot.pause()
        assert lines(table)[1].startswith("▌␛[2J[bold]x[/]")


async def test_narrow_tables_leave_columns_out(host, table, lines):
    async with host(table).run_test(size=(18, 2)) as pilot:
        table.set_rows(FRUIT)
        await pilot.pause()
        assert lines(table)[0] == " NAME        SIZE"


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (["down"], "apple"),
        (["j", "j"], "fig"),
        (["j", "k"], "pear"),
        (["G"], "plum"),
        (["end", "home"], "pear"),
        (["G", "g"], "pear"),
        (["pagedown"], "plum"),
        (["G", "pageup"], "pear"),
        (["k"], "pear"),
    ],
)
async def test_keys_move_the_cursor(host, table, keys, name):
    async with host(table).run_test(size=(32, 6)) as pilot:
        table.set_rows(FRUIT)
        table.focus()
        await pilot.press(*keys)
        assert table.current.key == name


async def test_the_cursor_stays_on_its_row_when_rows_come_and_go(host, table):
    app = host(table)
    async with app.run_test(size=(32, 6)) as pilot:
        table.set_rows(FRUIT)
        table.focus()
        await pilot.press("j", "j")
        told = len(app.got(Table.Highlighted))
        table.set_rows([Row("kiwi"), Row("lime"), *FRUIT])
        assert table.current.key == "fig"
        table.set_rows(FRUIT[2:])
        assert table.current.key == "fig"
        await pilot.pause()
        assert len(app.got(Table.Highlighted)) == told
        table.set_rows(FRUIT[3:])
        assert table.current.key == "plum"
        table.set_rows([])
        assert table.current is None
        await pilot.pause()
        assert [message.row for message in app.got(Table.Highlighted)][told:] == [FRUIT[3], None]


async def test_what_is_in_sight_stays_when_rows_come_above(host, table, lines):
    async with host(table).run_test(size=(32, 6)) as pilot:
        rows = many(100)
        table.set_rows(rows)
        table.focus()
        await pilot.press("pagedown", "pagedown", "pagedown", "k")
        before = lines(table)
        table.set_rows([Row("new-1"), Row("new-2"), *rows])
        await pilot.pause()
        assert lines(table) == before


async def test_one_changed_row_paints_one_line(host, table, painted):
    async with host(table).run_test(size=(32, 40)) as pilot:
        rows = many(5000)
        table.set_rows(rows)
        await pilot.pause()
        ys = painted(table)
        rows[7] = replace(rows[7], size=99)
        table.set_rows(list(rows))
        await pilot.pause()
        assert ys == [8]


async def test_unchanged_rows_and_rows_out_of_sight_paint_nothing(host, table, painted):
    async with host(table).run_test(size=(32, 10)) as pilot:
        table.set_rows(many(5000))
        await pilot.pause()
        ys = painted(table)
        table.set_rows(many(5000))
        rows = many(5000)
        rows[4000] = replace(rows[4000], size=1)
        table.set_rows(rows)
        await pilot.pause()
        assert ys == []


async def test_touch_paints_only_what_the_clock_changed(host, painted):
    now = [0]
    ticking = Column("T", lambda row: str(now[0]), 4)
    table = Table([COLUMNS[0], ticking], key=lambda row: row.key)
    async with host(table).run_test(size=(32, 6)) as pilot:
        table.set_rows(FRUIT)
        await pilot.pause()
        ys = painted(table)
        now[0] = 1
        table.touch(lambda row: row.key == "fig")
        await pilot.pause()
        assert ys == [3]


async def test_sorting_cycles_and_unknown_comes_last(host, table, lines):
    async with host(table).run_test(size=(32, 6)) as pilot:
        table.set_rows(FRUIT)
        table.focus()
        await pilot.press("s")
        assert (table.sorting, names(table)) == ("NAME ▲", ["apple", "fig", "pear", "plum"])
        assert lines(table)[0].startswith(" NAME▲")
        await pilot.press("s")
        assert (table.sorting, names(table)) == ("SIZE ▼", ["plum", "pear", "apple", "fig"])
        assert lines(table)[0].endswith("▼SIZE")
        assert table.current.key == "pear"
        await pilot.press("s")
        assert (table.sorting, names(table)) == ("", ["pear", "apple", "fig", "plum"])
        table.sort_by("SIZE")
        assert names(table) == ["apple", "pear", "plum", "fig"]


async def test_filter_is_plain_text_in_any_case(host, table, lines):
    app = host(table)
    async with app.run_test(size=(32, 6)) as pilot:
        table.set_rows([*FRUIT, Row("P[l")])
        table.filter_text = "PL"
        assert names(table) == ["apple", "plum"]
        table.filter_text = "p[l"
        assert names(table) == ["P[l"]
        table.set_rows([Row("up[l")])
        assert names(table) == ["up[l"]
        table.filter_text = ""
        assert table.total == 1
        await pilot.pause()
        assert app.got(Table.Arranged)


async def test_mouse_selects_chooses_scrolls_and_sorts(host, table):
    app = host(table)
    async with app.run_test(size=(32, 6)) as pilot:
        table.set_rows([*FRUIT, *many(20)])
        await pilot.pause()
        await pilot.click(table, offset=(3, 3))
        assert table.current.key == "fig"
        assert not app.got(Table.Chosen)
        await pilot.click(table, offset=(3, 2), times=2)
        assert [message.row.key for message in app.got(Table.Chosen)] == ["apple"]
        await pilot.click(table, offset=(30, 0))
        assert table.sorting == "SIZE ▼"
        await pilot.click(table, offset=(30, 0))
        assert table.sorting == "SIZE ▲"
        await pilot.click(table, offset=(24, 0))
        assert table.sorting == "SIZE ▲"


async def test_enter_chooses_the_current_row(host, table):
    app = host(table)
    async with app.run_test(size=(32, 6)) as pilot:
        table.focus()
        await pilot.press("enter")
        table.set_rows(FRUIT)
        await pilot.press("j", "enter")
        assert [message.row.key for message in app.got(Table.Chosen)] == ["apple"]


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (20, 3), (300, 100)])
async def test_any_size_and_after_resize(host, table, lines, size):
    async with host(table).run_test(size=size) as pilot:
        table.set_rows(many(500))
        table.focus()
        await pilot.press("G", "pageup", "j", "s")
        await pilot.resize_terminal(60, 10)
        await pilot.pause()
        assert table.current.key in "\n".join(lines(table))


async def test_the_cursor_is_marked_otherwise_without_the_focus(host, table, lines):
    async with host(table).run_test(size=(32, 3)) as pilot:
        table.set_rows(FRUIT)
        table.focus()
        await pilot.pause()
        assert lines(table)[1][0] == "▌"
        table.blur()
        await pilot.pause()
        assert lines(table)[1][0] == "▏"


async def test_a_new_theme_draws_every_line_anew(host, table):
    app = host(table)
    async with app.run_test(size=(32, 6)) as pilot:
        table.set_rows(FRUIT)
        await pilot.pause()
        before = list(table.render_line(2))
        app.theme = "textual-light"
        await pilot.pause()
        assert list(table.render_line(2)) != before


async def test_a_new_focus_paints_only_the_line_of_the_cursor(host, table):
    async with host(table).run_test(size=(32, 6)) as pilot:
        table.set_rows(FRUIT)
        await pilot.pause()
        before = [table.render_line(y) for y in range(6)]
        table.blur()
        await pilot.pause()
        assert [table.render_line(y) is strip for y, strip in enumerate(before)][2:5] == [True] * 3
        assert table.render_line(1) is not before[1]
