import pickle


def dump(data, file):
    pickle.dump(data, file)


def load(file):
    return pickle.load(file)
