import os
import uuid


def get_unique_filename(data_dir, suffix="", extension="csv"):
    return os.path.join(data_dir, uuid.uuid1().hex + suffix + "." + extension)
