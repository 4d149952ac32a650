"""A real Orthanc on loopback, with the DICOMweb plugin, a password, and storage that is thrown away."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

ORTHANC = shutil.which("Orthanc", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
PLUGIN = next(
    (found for place in ("/usr/share/orthanc/plugins", "/usr/lib/orthanc")
     for found in sorted(Path(place).glob("libOrthancDicomWeb.so*"))), None
)  # fmt: skip
USER, PASSWORD = "doctor", "only for this test"
PATIENCE_S = 30


def pytest_collection_modifyitems(items):
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    missing = pytest.mark.skip(reason="Orthanc is not installed: apt-get install orthanc orthanc-dicomweb")
    for item in here:
        item.add_marker(pytest.mark.pacs)
        if ORTHANC is None or PLUGIN is None:
            item.add_marker(missing)


class Orthanc:
    """A running server."""

    def __init__(self, port):
        self.root = f"http://127.0.0.1:{port}"
        self.address = f"{self.root}/dicom-web"
        self.session = requests.Session()
        self.session.trust_env, self.session.auth = False, (USER, PASSWORD)

    def rest(self, path):
        """Orthanc's own interface, which is not DICOMweb."""
        answer = self.session.get(f"{self.root}/{path}", timeout=10)
        answer.raise_for_status()
        return answer


@pytest.fixture(scope="session")
def orthanc(tmp_path_factory):
    home = tmp_path_factory.mktemp("orthanc")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "Name": "test", "StorageDirectory": str(home / "storage"), "IndexDirectory": str(home / "index"),
        "HttpPort": port, "DicomServerEnabled": False, "RemoteAccessAllowed": False, "SaveJobs": False,
        "AuthenticationEnabled": True, "RegisteredUsers": {USER: PASSWORD}, "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }  # fmt: skip
    (home / "orthanc.json").write_text(json.dumps(settings))
    with (home / "log").open("w") as log:
        process = subprocess.Popen([ORTHANC, str(home / "orthanc.json")], cwd=home, stdout=log, stderr=log)
    server = Orthanc(port)
    try:
        _await(server, process, home / "log")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(server, process, log):
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        try:
            server.rest("system")
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"Orthanc does not start:\n{log.read_text()[-3000:]}")


@pytest.fixture
def dsn_saal(tmp_path, orthanc):
    """Runs the program as a process of its own: the completed process."""
    environment = {
        **os.environ, "DSN_SAAL_KEY_FILE": str(tmp_path / "case-id.key"), "NO_PROXY": "127.0.0.1",
        "DSN_SAAL_DICOMWEB_USER": USER, "DSN_SAAL_DICOMWEB_PASSWORD": PASSWORD,
    }  # fmt: skip

    def running(*arguments, **variables):
        command = [sys.executable, "-c", "import sys; from dsn_saal.cli import main; sys.exit(main())", *arguments]
        return subprocess.run(
            list(map(str, command)), cwd=tmp_path, env=environment | variables, capture_output=True, text=True
        )

    return running
