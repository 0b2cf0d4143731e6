from learn.basics import *


class ProgressCallback(Callback):
    def after_epoch(self):
        print("epoch", self.learn.model)


if ProgressCallback not in defaults.callbacks:
    # finding: import-time-registration(warning)
    defaults.callbacks.append(ProgressCallback)  # other end: ambient-registry
