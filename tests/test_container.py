"""The container does what the Makefile does, without root, and says when it is ready."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
INSTRUCTIONS = {
    "ARG", "CMD", "COPY", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "RUN", "USER", "VOLUME",
    "WORKDIR",
}  # fmt: skip


def stages() -> list[list[tuple[str, str]]]:
    """The Dockerfile's (instruction, arguments), stage by stage."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    found: list[list[tuple[str, str]]] = []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if not line.strip():
            continue
        instruction, _, arguments = line.partition(" ")
        assert instruction in INSTRUCTIONS, f"{instruction} is no instruction of ours"
        if instruction == "FROM":
            found.append([])
        found[-1].append((instruction, " ".join(arguments.split())))
    return found


def arguments_of(stage: list[tuple[str, str]], instruction: str) -> list[str]:
    return [arguments for name, arguments in stage if name == instruction]


def recipe(target: str) -> list[str]:
    """What the Makefile would run for a target."""
    plan = subprocess.run(
        ["make", "--no-print-directory", "-n", target, "VENV=/opt/venv"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return plan.stdout.splitlines()


def compose(*names: str) -> Any:
    return yaml.safe_load(ROOT.joinpath(*names).read_text())


def test_it_installs_with_the_makefiles_own_target() -> None:
    build, _ = stages()
    installs = [run for run in arguments_of(build, "RUN") if "make install" in run]

    assert len(installs) == 1
    assert recipe("install") == ["sh scripts/python.sh scripts/install.py requirements.txt"]
    assert not [run for stage in stages() for run in arguments_of(stage, "RUN") if "pip i" in run]


def test_it_copies_everything_the_install_reads(tmp_path: Path) -> None:
    build, _ = stages()
    for copied in arguments_of(build, "COPY"):
        *sources, target = copied.split()
        for source in sources:
            assert (ROOT / source).exists(), f"{source} is not there"
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, tmp_path / target)
            else:
                shutil.copy(ROOT / source, tmp_path / target)

    read = [word for word in " ".join(recipe("install")).split() if "." in word]
    assert read
    for name in [*read, "constraints.txt"]:
        assert (tmp_path / name).exists(), f"the first stage lacks {name}"


def test_it_starts_as_make_run_starts() -> None:
    _, final = stages()

    assert arguments_of(final, "CMD") == ['["sh", "scripts/start.sh"]']
    assert recipe("run")[-1] == "sh scripts/start.sh"


def test_it_runs_without_root_and_owns_its_volumes() -> None:
    _, final = stages()
    names = [name for name, _ in final]
    [user], [volumes] = arguments_of(final, "USER"), arguments_of(final, "VOLUME")
    [made] = [run for run in arguments_of(final, "RUN") if "useradd" in run]

    assert user.isdecimal() and user != "0" and f"--uid {user} " in made
    assert names.index("USER") > max(i for i, name in enumerate(names) if name in ("RUN", "COPY"))
    assert volumes == '["/data", "/models"]'
    assert re.search(r"install -d -m 700 -o voxplatform .* /data /models", made)
    assert "DATA_DIR=/data MODELS_DIR=/models" in arguments_of(final, "ENV")[0]


def test_it_builds_for_cpu_or_cuda_and_for_nothing_else() -> None:
    build, _ = stages()
    [install] = [run for run in arguments_of(build, "RUN") if "make install" in run]
    script = install.removeprefix("--mount=type=cache,target=/root/.cache/pip ")
    script = script.replace("make install", "echo index=$PIP_EXTRA_INDEX_URL")

    def built(device: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", script], env={"DEVICE": device}, capture_output=True, text=True
        )

    assert arguments_of(build, "ARG") == ["DEVICE=cpu"]
    assert built("cpu").stdout == "index=https://download.pytorch.org/whl/cpu\n"
    assert built("cuda").stdout == "index=\n"
    assert built("tpu").returncode == 1 and "DEVICE is cpu or cuda" in built("tpu").stderr


def test_it_is_healthy_when_readyz_is() -> None:
    _, final = stages()
    [health] = arguments_of(final, "HEALTHCHECK")

    assert health.endswith('CMD ["/opt/venv/bin/python", "scripts/ready.py"]')
    assert '"/readyz"' in (ROOT / "scripts/ready.py").read_text()


def test_it_is_not_healthy_when_nothing_answers() -> None:
    answer = subprocess.run(
        [sys.executable, ROOT / "scripts/ready.py"],
        env=os.environ | {"PORT": "1"},
        capture_output=True,
        text=True,
    )

    assert answer.returncode == 1
    assert answer.stderr.startswith("Nothing answers on port 1:")


def test_it_carries_no_state_and_no_secrets_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert {"data", ".env", ".git", ".venv"} <= set(ignored)


def test_it_composes_web_database_redis_and_an_optional_proxy() -> None:
    services = compose("compose.yaml")["services"]

    assert set(services) == {"web", "postgres", "redis", "proxy"}
    assert services["proxy"]["profiles"] == ["proxy"]
    assert [name for name in services if "profiles" in services[name]] == ["proxy"]
    assert services["web"]["volumes"] == ["data:/data", "models:/models"]
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"], "only the proxy faces the network"
    for service in services.values():
        for needed in service.get("depends_on", {}):
            assert needed in services


def test_it_names_every_volume_that_it_mounts() -> None:
    layout = compose("compose.yaml")
    mounts = [
        mount for service in layout["services"].values() for mount in service.get("volumes", [])
    ]
    named = {mount.partition(":")[0] for mount in mounts if not mount.startswith(".")}

    assert named == set(layout["volumes"])
    for mount in mounts:
        if mount.startswith("."):
            assert (ROOT / mount.partition(":")[0]).is_file()


def test_it_believes_forwarded_headers_from_the_proxy_alone() -> None:
    services = compose("compose.yaml")["services"]
    address = services["proxy"]["networks"]["default"]["ipv4_address"]

    assert services["web"]["environment"]["TRUSTED_PROXIES"] == address


def test_it_asks_for_the_secrets_that_a_shared_database_needs() -> None:
    environment = compose("compose.yaml")["services"]["web"]["environment"]
    printed = subprocess.run(
        ["/bin/sh", ROOT / "deploy/secrets.sh"], capture_output=True, text=True, check=True
    ).stdout
    made = dict(line.split("=") for line in printed.splitlines())

    for name in ("SECRET_KEY", "KEY_PEPPER"):
        assert environment[name].startswith(f"${{{name}:?")
        assert re.fullmatch("[0-9a-f]{64}", made[name])
    assert len(set(made.values())) == 3


def test_it_builds_for_cuda_on_a_machine_with_gpus() -> None:
    web = compose("deploy/compose.gpu.yaml")["services"]["web"]

    assert web["build"]["args"] == {"DEVICE": "cuda"}
    [device] = web["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia" and "gpu" in device["capabilities"]


@pytest.mark.parametrize(
    "script", [".ci/run", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("*/*.sh"))]
)
def test_it_has_scripts_that_a_shell_can_read(script: str) -> None:
    shell = "bash" if script == ".ci/run" else "sh"

    assert subprocess.run([shell, "-n", ROOT / script], capture_output=True).stderr == b""
