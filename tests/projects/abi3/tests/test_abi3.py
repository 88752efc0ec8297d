from sample_abi3 import add


def test_adds():
    assert add(1, 2) == 3
