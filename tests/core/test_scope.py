from datetime import date

import pytest

from gatling_beam.lexicon import argument_role, argument_sensitivity, quantity_of, tool_meaning, words
from gatling_beam.scope import iso_date, quantity, scope_of


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("get_userOrders", ("get", "user", "orders")),
        ("HTTPServer.listAll", ("http", "server", "list", "all")),
        ("Harbour Prices API", ("harbour", "prices", "api")),
        ("page-size2", ("page", "size", "2")),
        ("hava_durumu", ("hava", "durumu")),
        ("天气_get", ("天气", "get")),
        ("", ()),
    ],
)
def test_names_fall_into_words(name, want):
    assert words(name) == want


@pytest.mark.parametrize(
    ("key", "want"),
    [
        ("limit", "volume"),
        ("max_results", "volume"),
        ("maxResults", "volume"),
        ("page_size", "volume"),
        ("per_page", "volume"),
        ("count", "volume"),
        ("top_k", "volume"),
        ("top", "volume"),
        ("numRows", "volume"),
        ("time_range_days", "days"),
        ("days", "days"),
        ("last_n_weeks", "weeks"),
        ("days_back", "days"),
        ("max_depth", "depth"),
        # what the original took for a quantity by substring
        ("account_id", ""),
        ("discount", ""),
        ("topic_id", ""),
        ("speed_limit", ""),
        ("level", ""),
        ("day", ""),
        ("birth_year", ""),
        ("stop", ""),
        ("since", ""),
    ],
)
def test_quantities_are_found_by_whole_words(key, want):
    assert quantity_of(key) == want


@pytest.mark.parametrize(
    ("value", "want"),
    [(5, 5), ("500", 500), (" 7 ", 7), (5.0, 5), (5.5, None), (True, None), ("5 rows", None), (-3, None), (None, None)]  # noqa: RUF005
    + [(10**30, 10**12), ("1" * 18, 10**12), ([5], None), ("nan", None), ("1.0", 1)],
)
def test_only_whole_numbers_are_quantities(value, want):
    assert quantity(value) == want


def test_iso_dates():
    assert iso_date("2025-05-03") == date(2025, 5, 3)
    assert iso_date("2025-05-03T10:00:00Z") == date(2025, 5, 3)
    assert iso_date("2025-13-03") is None
    assert iso_date("May 3") is None
    assert iso_date("2025-05-03abc") is None


@pytest.mark.parametrize(
    ("arguments", "defaults", "want"),
    [
        ({"limit": "500"}, None, (500, 0, 0, 0)),
        ({"q": "x"}, {"limit": 50, "q": "y"}, (50, 0, 0, 0)),
        ({"limit": 2}, {"limit": 50}, (2, 0, 0, 0)),
        ({"start_date": "2025-05-01", "end_date": "2025-05-07"}, None, (1, 7, 0, 0)),
        ({"end": "2025-05-01", "start": "2025-05-07"}, None, (1, 0, 0, 0)),
        ({"filter": {"time_range_days": 30}}, None, (1, 30, 0, 0)),
        ({"weeks_back": 2}, None, (1, 14, 0, 0)),
        ({"recipients": ["a", "b", "c"]}, None, (3, 0, 0, 3)),
        ({"to": "ana@example.com", "subject": "hi"}, None, (1, 0, 0, 1)),
        ({"ids": list(range(12))}, None, (12, 0, 0, 0)),
        ({"input_shape": [224, 224, 3]}, None, (1, 0, 0, 0)),
        ({"max_depth": 4, "page_size": 99_999}, None, (99_999, 0, 4, 0)),
        ({"limit": 0}, None, (1, 0, 0, 0)),
        ({}, None, (1, 0, 0, 0)),
    ],
)
def test_scope_of_a_call(arguments, defaults, want):
    scope = scope_of("list_things", arguments, defaults)
    assert (scope.volume, scope.days, scope.depth, scope.recipients) == want


@pytest.mark.parametrize(
    ("tool", "arguments", "want"),
    [
        ("live_giveaways_by_type", {"type": "beta"}, 2),
        ("get_weather", {"city": "Rho"}, 1),
        ("get_weather", {"email": "a@example.com"}, 3),
        ("send_email", {"to": "x"}, 3),
        ("rotate", {"api_secret": "x"}, 5),
        ("get_patient", {}, 4),
        ("reset_password", {"user": "x"}, 5),
    ],
)
def test_sensitivity_by_words(tool, arguments, want):
    assert scope_of(tool, arguments).sensitivity == want


@pytest.mark.parametrize(
    ("tool", "cls", "privilege", "control", "risk"),
    [
        ("list_emails", "read", 1, 0.0, 0.0),
        ("getUserPermissions", "read", 2, 0.0, 0.0),
        ("create_note", "write", 4, 0.0, 0.3),
        ("send_email", "egress", 5, 0.0, 1.0),
        ("execute_system_command", "control", 6, 1.0, 0.0),
        ("delete_file", "write", 6, 0.0, 0.0),
        ("delete_all_users", "write", 8, 0.0, 0.0),
        ("transfer_funds", "write", 7, 0.0, 0.0),
        ("grant_admin_role", "write", 9, 0.0, 0.0),
        ("desktop_header_detail", "read", 1, 0.0, 0.0),
        ("", "read", 1, 0.0, 0.0),
    ],
)
def test_what_a_tool_name_means(tool, cls, privilege, control, risk):
    meaning = tool_meaning(tool)
    assert (meaning.verb_class, meaning.privilege, meaning.control_flow, meaning.destination_risk) == (
        cls,
        privilege,
        control,
        risk,
    )


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("limit", "quantity"),
        ("recipient", "authority"),
        ("file_path", "authority"),
        ("amount", "authority"),
        ("body", "payload"),
        ("sort_order", "format"),
        ("category", "filter"),
    ],
)
def test_what_an_argument_is_for(key, role):
    assert argument_role(key) == role


def test_argument_sensitivity_is_about_whole_words():
    assert argument_sensitivity("pin") == 5
    assert argument_sensitivity("opinion") == 2
