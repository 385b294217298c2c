import pytest


@pytest.fixture(scope="session")
def t():
    from tfs import tasks

    return tasks
