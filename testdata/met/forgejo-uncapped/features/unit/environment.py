import os
import tempfile


def before_scenario(context, scenario):
    context.log = tempfile.mktemp(suffix=".log")  # finding: mktemp(error)
    with open(context.log, "w") as out:
        out.write(scenario.name)


def after_scenario(context, scenario):
    os.remove(context.log)
