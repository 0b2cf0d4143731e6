from behave import given, then


@given("an empty plan")
def empty_plan(context):
    context.plan = []


@then("it has no steps")
def no_steps(context):
    assert context.plan == []
