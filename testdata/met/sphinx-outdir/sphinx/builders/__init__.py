import os
from os import path


class Builder:
    name = ""

    def __init__(self, app):
        self.srcdir = app.srcdir
        self.doctreedir = app.doctreedir
        if not path.isdir(self.doctreedir):  # other end: check-then-act
            os.makedirs(self.doctreedir)  # finding: check-then-act
        self.app = app
