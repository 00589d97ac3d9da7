"""What `make run` says before it does anything, and what installing leaves behind."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "scripts"


def stand_in(folder: Path, version: str, has_venv: bool) -> Path:
    """A program that answers the questions scripts/python.sh asks as such a Python would."""
    folder.mkdir(exist_ok=True)
    python = folder / "python3"
    python.write_text(
        "#!/bin/sh\n"
        f'[ "$1" = -c ] && echo {version} && exit {0 if has_venv else 1}\n'
        'echo "ran $1"\n'
    )
    python.chmod(0o755)
    return python


def choose(*pythons: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", SCRIPTS / "python.sh", "thing.py"],
        env={"PYTHON": " ".join(map(str, pythons)), "PATH": "/nowhere"},
        capture_output=True,
        text=True,
    )


def preflight(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPTS / "preflight.py"],
        env=os.environ | {"HOST": "127.0.0.1"} | environment,
        capture_output=True,
        text=True,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def is_one_sentence(text: str) -> bool:
    return text.count("\n") == 1 and "Traceback" not in text


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_it_takes_a_python_that_can_build_the_environment(tmp_path: Path, version: str) -> None:
    answer = choose(stand_in(tmp_path / "a", version, has_venv=True))

    assert (answer.returncode, answer.stdout) == (0, "ran thing.py\n")


def test_it_passes_over_a_python_without_venv_when_another_has_it(tmp_path: Path) -> None:
    bare = stand_in(tmp_path / "bare", "3.13", has_venv=False)
    whole = stand_in(tmp_path / "whole", "3.11", has_venv=True)

    assert choose(bare, whole).stdout == "ran thing.py\n"


def test_it_names_the_package_that_brings_venv(tmp_path: Path) -> None:
    answer = choose(stand_in(tmp_path, "3.12", has_venv=False))

    assert answer.returncode == 1
    assert is_one_sentence(answer.stderr)
    assert "install the package python3.12-venv" in answer.stderr


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.14"])
def test_it_refuses_a_python_it_was_not_tested_with(tmp_path: Path, version: str) -> None:
    answer = choose(stand_in(tmp_path, version, has_venv=True))

    assert answer.returncode == 1
    assert is_one_sentence(answer.stderr)
    assert f"Python 3.11, 3.12 or 3.13 is needed, not {version}" in answer.stderr


def test_it_says_which_python_is_needed_when_there_is_none() -> None:
    answer = choose(Path("/nowhere/python3"))

    assert answer.returncode == 1
    assert is_one_sentence(answer.stderr)
    assert "install the packages python3.11 and python3.11-venv" in answer.stderr


def test_it_refuses_a_data_directory_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    answer = preflight(DATA_DIR=str(tmp_path / "file" / "data"), PORT=str(free_port()))

    assert answer.returncode == 1
    assert is_one_sentence(answer.stderr)
    assert f"{tmp_path}/file/data is not writable" in answer.stderr


def test_it_makes_a_data_directory_that_no_one_else_reads(tmp_path: Path) -> None:
    answer = preflight(DATA_DIR=str(tmp_path / "data"), PORT=str(free_port()))

    assert (answer.returncode, answer.stderr) == (0, "")
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_it_refuses_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        answer = preflight(DATA_DIR=str(tmp_path), PORT=str(port))

    assert answer.returncode == 1
    assert is_one_sentence(answer.stderr)
    assert f"127.0.0.1 port {port} (it is taken)" in answer.stderr


@pytest.mark.parametrize("port", ["", "http", "0", "65536", "-1"])
def test_it_refuses_what_is_no_port(tmp_path: Path, port: str) -> None:
    answer = preflight(DATA_DIR=str(tmp_path), PORT=port)

    assert answer.returncode == 1
    assert is_one_sentence(answer.stderr)
    assert "PORT must be a number" in answer.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the installer whose list holds one small package, made here."""
    root = tmp_path / "copy"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(SCRIPTS / "install.py", root / "scripts")
    wheel = root / "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("small.py", "SIZE = 1\n")
        archive.writestr("small-1.0.dist-info/METADATA", "Name: small\nVersion: 1.0\n")
        archive.writestr("small-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("small-1.0.dist-info/RECORD", "")
    (root / "requirements.txt").write_text(f"{wheel}\n")
    (root / "constraints.txt").write_text("torch==2.13.0\n")
    return root


def install(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, root / "scripts/install.py", "requirements.txt"],
        env=os.environ | {"VENV": str(root / "venv"), "PIP_NO_INDEX": "1"},
        capture_output=True,
        text=True,
    )


def imports_small(root: Path) -> bool:
    command = [root / "venv/bin/python", "-c", "import small"]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.slow
def test_it_installs_once_and_says_what_it_needs(copy: Path) -> None:
    first, second = install(copy), install(copy)

    assert first.returncode == 0, first.stderr
    assert "GB to fetch" in first.stdout and "GB must be free" in first.stdout
    assert imports_small(copy)
    assert (second.returncode, second.stdout) == (0, "")


@pytest.mark.slow
def test_it_goes_on_after_an_install_that_was_cut_short(copy: Path) -> None:
    install(copy)
    [packages] = (copy / "venv").glob("lib/python*/site-packages")
    # What a kill in the middle leaves: metadata that look whole, a missing module, no stamp.
    (packages / "small.py").unlink()
    (packages / "small-1.0.dist-info/INSTALLER").unlink()
    (copy / "venv/requirements.installed").unlink()

    again = install(copy)

    assert again.returncode == 0, again.stderr
    assert imports_small(copy)


@pytest.mark.slow
def test_it_makes_the_environment_anew_when_its_python_is_gone(copy: Path) -> None:
    install(copy)
    (copy / "venv/bin/python").unlink()

    assert install(copy).returncode == 0
    assert imports_small(copy)


@pytest.mark.slow
def test_it_leaves_no_stamp_when_the_install_fails(copy: Path) -> None:
    (copy / "requirements.txt").write_text("no-such-package==1.0\n")

    answer = install(copy)

    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1].startswith("The installation stopped early: run the same")
    assert not (copy / "venv/requirements.installed").exists()


def load_installer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", SCRIPTS / "install.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_it_refuses_a_disk_that_is_too_small(capsys: pytest.CaptureFixture[str]) -> None:
    installer = load_installer()
    more_than_any_disk = (1.0, 10.0**9)
    installer.CPU_SIZES = installer.CUDA_SIZES = more_than_any_disk

    with pytest.raises(SystemExit, match=r"GB free and .* GB are needed: make room"):
        installer.check_disk(Path(sys.prefix))

    assert "1.0 GB to fetch" in capsys.readouterr().out


def test_it_pins_every_requirement_and_constrains_all_of_them() -> None:
    constraints = pins(ROOT / "constraints.txt")
    for name in ("requirements.txt", "requirements-dev.txt"):
        for package, version in pins(ROOT / name).items():
            assert constraints[package] == version, f"{package} differs in constraints.txt"
    assert not [name for name in constraints if name.startswith(("nvidia", "cuda", "triton"))]
    assert "torch==2.13.0" in (ROOT / "requirements.txt").read_text().splitlines()


def pins(file: Path) -> dict[str, str]:
    """Package to version, read strictly: a line that is neither a comment nor a pin fails."""
    found = {}
    for line in file.read_text().splitlines():
        if line.startswith("#"):
            continue
        name, equals, version = line.partition("==")
        assert equals and version and "+" not in version, f"{file.name}: {line} is no exact pin"
        found[name.partition("[")[0].lower().replace("_", "-").replace(".", "-")] = version
    return found
