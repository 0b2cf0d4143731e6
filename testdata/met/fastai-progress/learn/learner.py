from learn.defaults import defaults


class Callback:
    def __init__(self, learn):
        self.learn = learn

    def after_epoch(self):
        pass


class Learner:
    def __init__(self, model, cbs=()):
        self.model = model
        # other end: import-time-registration
        self.cbs = [cb(self) for cb in defaults.callbacks] + [cb(self) for cb in cbs]

    def fit(self, epochs):
        for _ in range(epochs):
            for cb in self.cbs:
                cb.after_epoch()
