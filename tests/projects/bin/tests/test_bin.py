import subprocess


def test_says_its_version():
    said = subprocess.run(["sample-bin"], check=True, capture_output=True, text=True).stdout
    assert said.startswith("sample-bin ")
