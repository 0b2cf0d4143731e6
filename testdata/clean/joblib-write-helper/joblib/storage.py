import os
import threading


def concurrency_safe_write(obj, filename, write_func):
    thread_id = id(threading.current_thread())
    temporary = "{}.thread-{}-pid-{}".format(filename, thread_id, os.getpid())
    write_func(obj, temporary)
    os.replace(temporary, filename)
