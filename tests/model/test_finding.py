"""Findings of the doctor: the worst one, all on a line, the report."""

from lmdeck.model.finding import PART_CELLS, Finding, report, verdict, worst

OK, UNKNOWN = Finding("lmdeck", "ok", "0.1.0"), Finding("GPU", "unknown", "switched off")
WARN, FAIL = Finding("lms", "warn", "not found", "Install it."), Finding("token", "fail", "401", "Set it.")


def test_the_worst_state_counts_whatever_the_order() -> None:
    assert worst([]) == worst([OK]) == "ok"
    assert worst([OK, UNKNOWN]) == "unknown"
    assert worst([FAIL, WARN, OK]) == worst([OK, WARN, FAIL]) == "fail"


def test_the_verdict_counts_and_names_what_is_bad() -> None:
    assert verdict([OK, OK, UNKNOWN, WARN, FAIL]) == "2 ok, 1 unknown, 1 to look at (lms), 1 failed (token)"
    assert verdict([OK]) == "1 ok"


def test_a_report_says_the_state_without_colour_and_what_to_do_below() -> None:
    assert report(OK) == [f"✓ {'lmdeck':<{PART_CELLS}} 0.1.0"]
    assert report(FAIL) == [f"✗ {'token':<{PART_CELLS}} 401", f"{'':<{PART_CELLS + 2}} → Set it."]
