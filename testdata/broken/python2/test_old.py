import os


def test_print():
    print "hello", os.getcwd()
    try:
        os.mkdir("out", 0755)
    except OSError, error:
        print >>log, `error`
        raise Failure, "no"
    exec "x = 1" in {}
