"""A web server of this machine, for the functions that fetch data."""

import functools
import http.server
import threading

import pytest


class _Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.server.requested.append(self.path)
        super().do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def server(tmp_path):
    """Serve a folder of this machine; what was asked of it is in ``requested``."""
    folder = tmp_path / "served" / "Classical"
    folder.mkdir(parents=True)
    handler = functools.partial(_Handler, directory=str(folder.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        served.requested = []
        served.folder = folder
        served.url = f"http://127.0.0.1:{served.server_address[1]}/Classical"
        thread = threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield served
        served.shutdown()
        thread.join()
