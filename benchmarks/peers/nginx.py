"""nginx: as the upstream with fixed answers, and as the reverse proxy that Fairlead is compared with."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from string import Template

from benchmarks.answers import DOWNLOAD_BYTES, LARGE, SMALL, encoded
from benchmarks.peers.site import Site
from benchmarks.processes import Command, free_port

_MAIN = Template("""\
$user
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid $folder/nginx.pid;
error_log $folder/error.log warn;
events { worker_connections 8192; }
http {
    access_log off;
    default_type application/json;
    sendfile on;
    keepalive_timeout 75;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
$http
}
""")
_STATIC = Template("""\
    open_file_cache max=10;
    server {
        listen 127.0.0.1:$port backlog=4096;
        root $folder;
        location = /v1/small { return 200 '$small'; }
        location /v1/units/ { return 200 '$small'; }
        location = /v1/mapped/small { return 200 '$small'; }
        location = /v1/large { try_files /large.json =404; }
        location = /v1/mapped/large { try_files /large.json =404; }
        location = /v1/download { default_type application/octet-stream; try_files /download =404; }
    }
""")
_PROXY = Template("""\
    upstream static { server 127.0.0.1:$static; keepalive 1024; keepalive_requests 1000000000; }
    upstream live { server 127.0.0.1:$live; keepalive 1024; keepalive_requests 1000000000; }
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_buffer_size 16k;
    proxy_buffers 16 16k;
    proxy_max_temp_file_size 0;
    server {
        listen 127.0.0.1:$port backlog=4096;
        location / { proxy_pass http://static; }
        location /v1/slow { proxy_pass http://live; }
        location /v1/events { proxy_pass http://live; proxy_buffering off; }
        location /v1/upload { proxy_pass http://live; proxy_request_buffering off; }
    }
""")


def static(site: Site, operations: int = 4) -> Command:
    """The upstream with fixed answers."""
    folder = _folder(site, "static")
    (folder / "large.json").write_bytes(encoded(LARGE))
    with (folder / "download").open("wb") as download:
        download.truncate(DOWNLOAD_BYTES)
    small = encoded(SMALL).decode()
    return _command(folder, _STATIC.substitute(port=site.static, folder=folder, small=small), site.static)


def live(site: Site, operations: int = 4) -> Command:
    """The upstream of our own, for what nginx cannot answer."""
    return Command((sys.executable, "-m", "benchmarks.live", str(site.live)), site.live, ready="/v1/upload")


def proxy(site: Site, operations: int = 4) -> Command:
    """nginx before both upstreams, with connections kept alive and nothing written to disk."""
    port = free_port()
    http = _PROXY.substitute(port=port, static=site.static, live=site.live)
    return _command(_folder(site, "proxy"), http, port)


def _folder(site: Site, name: str) -> Path:
    folder = site.folder / name
    folder.mkdir(exist_ok=True)
    return folder


def _command(folder: Path, http: str, port: int) -> Command:
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(_MAIN.substitute(user=user, folder=folder, http=http), encoding="utf-8")
    return Command(("nginx", "-e", str(folder / "error.log"), "-c", str(configuration)), port)
