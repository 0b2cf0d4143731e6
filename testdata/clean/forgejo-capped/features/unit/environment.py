import os
import tempfile


def before_scenario(context, scenario):
    handle, context.log = tempfile.mkstemp(suffix=".log")
    with os.fdopen(handle, "w") as out:
        out.write(scenario.name)


def after_scenario(context, scenario):
    os.remove(context.log)
