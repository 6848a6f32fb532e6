"""What the page says of the first steps."""

from pages import drawn, figure, lose, plain, put, texts

from funnels import page


def test_the_funnel_splits_all_who_took_the_step_before(tables):
    part = figure(page.section(tables), "funnel")
    steps = {}
    for row in drawn(part, "rank"):
        steps.setdefault(row["step"], {})[row["series"]] = row["value"]
    reached = [step["reached"] for step in steps.values()]
    entered = [sum(step.values()) for step in steps.values()]
    assert entered[1:] == reached[:-1]
    assert "the hardest step, taken by 30.0 %" in plain(part.title)


def test_pending_users_are_stated(tables):
    section = page.section(tables)
    assert "For 400 of 24,042 that time has not passed" in plain(section.lead)
    pending = sum(
        row["pending_users"]
        for row in tables["fct_onboarding_funnel"]
        if row["dimension"] == "all"
    )
    assert f"{pending} of them are pending" in plain(section.lead)


def test_rates_stand_with_the_number_that_they_rest_on(tables):
    part = figure(page.section(tables), "funnel")
    second = next(row for row in drawn(part, "heading") if row["step"] == 2)
    assert "of 23,642" in plain(second["heading"])
    assert "after 2.1 h" in plain(second["heading"])


def test_a_funnel_without_a_hardest_step_names_none(tables):
    for row in tables["fct_onboarding_funnel"]:
        if row["step_number"] > 1:
            put(row, 70, 100, ("step_rate", "ci_low", "ci_high"))
    part = figure(page.section(tables), "funnel")
    assert "hardest" not in part.title


def test_a_log_that_is_too_young_for_rates_has_counts(tables):
    for row in tables["fct_onboarding_funnel"]:
        lose(row, "step_rate", "total_rate", "ci_low", "ci_high")
        lose(row, "median_seconds")
        row |= {"mature_entered_users": 0, "mature_reached_users": 0}
    section = page.section(tables)
    part = figure(section, "funnel")
    assert plain(part.title) == "24,042 users sign up"
    assert "nan" not in texts(section)
    assert figure(section, "step-by-platform") is None


def test_a_log_without_sign_ups_has_a_funnel_of_zeros(tables):
    for row in tables["fct_onboarding_funnel"]:
        for name, value in row.items():
            if name.endswith("_users"):
                row[name] = 0
            elif isinstance(value, float):
                row[name] = None
    section = page.section(tables)
    assert not section.parts
    assert "No sign-up" in section.lead
