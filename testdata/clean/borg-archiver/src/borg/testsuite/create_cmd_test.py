import pytest


def pytest_generate_tests(metafunc):
    metafunc.parametrize("archivers", ["archiver"])


def test_create_paths_from_command(archivers, request):
    archiver = request.getfixturevalue(archivers)
    with open("filenames.cmd", "w") as script:
        script.write("@echo input/file1\n")
    assert archiver.input_path


def test_create_again(archivers, request):
    request.getfixturevalue(archivers)
    with open("filenames.cmd", "w") as script:
        script.write("@echo input/file2\n")
