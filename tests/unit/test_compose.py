"""The compose stack as its files have it: who listens where, who waits for whom, what it may do and use."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from newsroom.doorsettings import networks
from newsroom.settings import CommonSettings
from services.ingest.settings import IngestSettings
from services.render.headers import (
    CONTENT_TYPES,
    IMMUTABLE,
    NAMED_TYPES,
    READ_ANYWHERE,
    REVALIDATED,
    SECURITY,
    of_file,
)
from services.render.pages import UNAVAILABLE
from services.render.settings import RenderSettings
from services.render.site import ENCODINGS
from services.store.settings import StoreSettings

ROOT = Path(__file__).resolve().parents[2]
ALL = ("kafka", "mongo", "ingest", "store", "render", "edge")
OURS: dict[str, tuple[type[CommonSettings], str]] = {
    "ingest": (IngestSettings, "8001"),
    "store": (StoreSettings, "8002"),
    "render": (RenderSettings, "8000"),
}
each = pytest.mark.parametrize("name", ALL)
each_of_ours = pytest.mark.parametrize("name", OURS)


@cache
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"][name]
    return found


@cache
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text()


@cache
def caddyfile() -> str:
    return (ROOT / "compose" / "edge" / "Caddyfile").read_text()


def site_block(address: str) -> str:
    """What the Caddyfile has between the braces of a site or snippet."""
    found = re.search(rf"^{re.escape(address)} \{{\n(.*?)^\}}", caddyfile(), re.MULTILINE | re.DOTALL)
    assert found, address
    return found[1]


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def test_the_stack_is_these_six_services() -> None:
    assert set(compose()["services"]) == set(ALL)


@each
def test_only_the_edge_has_ports_and_only_on_loopback(name: str) -> None:
    ports = service(name).get("ports", [])
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert [port.rpartition(":")[2] for port in ports] == (["8000", "8001", "8002"] if name == "edge" else [])


@each
def test_no_service_runs_as_root(name: str) -> None:
    user = service(name).get("user")
    if name in OURS:
        assert user is None  # the image says it
        return
    assert not str(user).startswith(("0", "root"))


def test_our_image_ends_as_somebody_without_rights() -> None:
    users = re.findall(r"^USER (\S+)$", dockerfile(), re.MULTILINE)
    assert users == ["newsroom"]
    assert re.search(r"useradd --uid [1-9]\d{3,} ", dockerfile())


@each
def test_a_service_can_change_nothing_but_its_volumes(name: str) -> None:
    assert service(name)["read_only"] is True
    assert service(name)["cap_drop"] == ["ALL"]
    assert service(name)["security_opt"] == ["no-new-privileges:true"]


@each
def test_nothing_gives_back_what_was_taken(name: str) -> None:
    """No more rights than told above, no way to the machine itself, and a bound on processes."""
    taken_back = {"privileged", "network_mode", "pid", "ipc", "userns_mode", "devices", "group_add", "cgroup"}
    assert taken_back.isdisjoint(service(name))
    assert service(name).get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "edge" else [])
    assert "docker.sock" not in str(service(name))
    assert 0 < service(name)["pids_limit"] <= 2048


@each_of_ours
def test_a_service_finds_files_of_secrets_that_it_cannot_change(name: str) -> None:
    assert "./compose/secrets:/run/secrets:ro" in service(name)["volumes"]
    assert service(name)["environment"]["NEWSROOM_SECRETS"] == "/run/secrets"


def test_files_of_secrets_come_neither_into_git_nor_into_an_image() -> None:
    ignored = (ROOT / "compose" / "secrets" / ".gitignore").read_text().splitlines()
    assert ignored == ["*", "!.gitignore", "!README.md"]
    sent = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in sent
    assert not any("secrets" in line or line == "!compose" for line in sent)


@each
def test_a_service_that_dies_is_started_again(name: str) -> None:
    assert service(name)["restart"] == "unless-stopped"


@each
def test_memory_and_logs_are_bounded(name: str) -> None:
    assert re.fullmatch(r"\d+[mg]", service(name)["mem_limit"])
    assert set(service(name)["logging"]["options"]) == {"max-size", "max-file"}


@each
def test_health_is_checked_often_enough_for_wait(name: str) -> None:
    check = service(name)["healthcheck"]
    assert seconds(check["interval"]) <= 5
    assert seconds(check["start_period"]) >= 60


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("ingest", {"kafka"}),
        ("store", {"kafka", "mongo"}),
        ("render", {"kafka", "mongo"}),
        ("edge", {"ingest", "store", "render"}),
    ],
)
def test_a_service_starts_when_what_it_needs_is_healthy(name: str, needs: set[str]) -> None:
    waits = service(name)["depends_on"]
    assert set(waits) == needs
    assert all(wait["condition"] == "service_healthy" for wait in waits.values())


@each_of_ours
def test_the_health_check_asks_the_port_that_the_service_listens_on(name: str) -> None:
    settings, port = OURS[name]
    environment = service(name)["environment"]
    own = [variable for variable in environment if variable.endswith("_PORT")]
    assert len(own) == 1
    assert own[0].removeprefix("NEWSROOM_").lower() in settings.model_fields
    assert str(environment[own[0]]) == port
    assert service(name)["healthcheck"]["test"][-1] == port
    assert environment["NEWSROOM_HOST"] == "0.0.0.0"


@each_of_ours
def test_a_service_is_given_each_of_its_settings_and_no_other(name: str) -> None:
    settings, _ = OURS[name]
    known = {f"NEWSROOM_{field.upper()}" for field in settings.model_fields}
    assert set(service(name)["environment"]) == known


@each_of_ours
def test_a_service_has_more_time_to_stop_than_it_takes(name: str) -> None:
    assert seconds(service(name)["stop_grace_period"]) > 15
    assert CommonSettings.model_fields["stop_seconds"].default == 15


def test_without_a_key_one_line_says_what_to_copy() -> None:
    key = service("ingest")["environment"]["NEWSROOM_PUBLISHER_KEY"]
    assert key.startswith("${NEWSROOM_PUBLISHER_KEY:?copy .env.example to .env")
    assert "\n" not in key
    assert service("render")["environment"]["NEWSROOM_PUBLISHER_KEY"] == key


def test_no_secret_stands_in_the_file() -> None:
    for name in OURS:
        for variable, value in service(name)["environment"].items():
            assert not variable.endswith(("_KEY", "_SECRET", "_PASSWORD")) or str(value).startswith("${")


@pytest.mark.parametrize(
    ("name", "volume", "place"),
    [
        ("kafka", "kafka", "/var/lib/kafka/data"),
        ("mongo", "mongo", "/data/db"),
        ("render", "pages", "/pages"),
    ],
)
def test_what_must_last_lies_on_a_named_volume(name: str, volume: str, place: str) -> None:
    assert volume in compose()["volumes"]
    assert f"{volume}:{place}" in service(name)["volumes"]


def test_the_edge_reads_the_pages_and_cannot_write_them() -> None:
    pages = [volume for volume in service("edge")["volumes"] if isinstance(volume, dict)]
    assert [(mount["source"], mount["target"], mount["read_only"]) for mount in pages] == [
        ("pages", "/pages", True)
    ]


def test_every_file_that_is_mounted_is_there() -> None:
    mounts = [mount for name in ALL for mount in service(name).get("volumes", []) if isinstance(mount, str)]
    files = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert files
    assert all((ROOT / file).exists() for file in files)
    assert all(mount.endswith(":ro") for mount in mounts if mount.startswith("./"))


def test_kafka_and_mongodb_cannot_be_reached_from_outside_nor_from_the_edge() -> None:
    assert compose()["networks"]["back"] == {"internal": True}
    assert service("kafka")["networks"] == service("mongo")["networks"] == ["back"]
    assert service("edge")["networks"] == ["front"]


@pytest.mark.parametrize("name", ["kafka", "mongo", "edge"])
def test_an_image_names_its_version(name: str) -> None:
    assert re.fullmatch(r"[a-z/]+:\d+\.\d+(\.\d+)?", service(name)["image"])


def test_kafka_is_the_version_that_runs_without_containers() -> None:
    jars = (ROOT / "desk" / "parts" / "jars.txt").read_text()
    assert f":{service('kafka')['image'].rpartition(':')[2]}" in jars


def test_our_image_stands_on_one_python_and_hashed_packages() -> None:
    bases = re.findall(r"^FROM (\S+)", dockerfile(), re.MULTILINE)
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+-slim", bases[0])
    assert "--require-hashes -r /tmp/runtime.txt" in dockerfile()


def test_a_kafka_group_outlives_a_long_pause() -> None:
    assert service("kafka")["environment"]["KAFKA_OFFSETS_RETENTION_MINUTES"] >= 365 * 24 * 60


def test_kafka_may_load_its_compression_libraries() -> None:
    temporary = next(place for place in service("kafka")["tmpfs"] if "mode=1777" in place)
    assert "exec" in temporary.split(",")


def test_topics_are_made_by_the_services_alone() -> None:
    assert service("kafka")["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


# --- the edge


@each_of_ours
def test_the_edge_spreads_a_port_over_the_instances_of_its_service(name: str) -> None:
    _, port = OURS[name]
    assert f"import spread {name} {port}" in site_block(f":{port}")


def test_the_edge_has_nothing_that_is_secret() -> None:
    """Its file server follows links: one that somebody put among the pages leads to nothing but its image."""
    assert "environment" not in service("edge")
    mounted = [mount if isinstance(mount, str) else mount["source"] for mount in service("edge")["volumes"]]
    assert mounted == ["./compose/edge/Caddyfile:/etc/caddy/Caddyfile:ro", "pages"]


def test_the_edge_tells_its_own_proxy_from_anybody_else() -> None:
    """And the services the edge: both by Docker's own networks, so that of a visitor from another private one
    only the address itself counts, which the proxy tells.
    """
    assert "trusted_proxies static 172.16.0.0/12\n\t\ttrusted_proxies_strict" in caddyfile()
    for name in OURS:
        trusted = service(name)["environment"]["NEWSROOM_TRUSTED_PROXIES"].partition(":-")[2].rstrip("}")
        assert networks(trusted) == ("172.16.0.0/12",)


def test_the_edge_asks_render_only_for_what_is_no_file() -> None:
    block = site_block(":8000")
    assert service("render")["environment"]["NEWSROOM_SERVE_PAGES"] == "false"
    assert block.index("route @page") < block.index("route @file") < block.index("import spread render")
    assert block.index("route @file") < block.index("route @unslashed")


@pytest.mark.parametrize("matcher", ["@page", "@file"])
def test_the_edge_never_looks_for_a_file_where_none_may_be(matcher: str) -> None:
    """The live stream, previews, and what render is asked to do: always render's own answer."""
    found = re.search(rf"{matcher} {{\n(.*?)\n\t}}", site_block(":8000"), re.DOTALL)
    assert found
    excluded = re.findall(r"not path (.*)", found[1])[0].split()
    assert {"/preview/*", "/api/*"} <= set(excluded)
    assert ("/live/" if matcher == "@page" else "/live/*") in excluded


def test_what_is_no_file_reaches_render_whatever_its_method() -> None:
    """With the key that came with it; only pages and files, which are read, are told apart by method."""
    block = site_block(":8000")
    last = block[block.index("route {") : block.index("handle_errors")]
    assert re.search(r"^\t\timport spread render 8000$", last, re.MULTILINE)
    assert set(re.findall(r"header_up (\S+)", caddyfile())) == {"-Upgrade"}


def test_no_offer_of_another_protocol_passes_the_edge() -> None:
    """What followed it might be taken for requests of whoever is next on that connection."""
    assert "\theader_up -Upgrade\n" in site_block("(spread)")


@each_of_ours
def test_no_stream_is_held_back_by_the_edge(name: str) -> None:
    """Caddy passes an event stream and what has no length on at once, unless told otherwise."""
    passed_on = site_block(f":{OURS[name][1]}") + site_block("(spread)")
    for word in ("encode", "response_buffers", "flush_interval", "write "):
        assert not re.search(rf"\b{word}", passed_on)


def test_the_edge_serves_what_is_compressed_already() -> None:
    tokens = {".br": "br", ".gz": "gzip"}
    assert f"precompressed {' '.join(tokens[suffix] for suffix in ENCODINGS)}" in site_block("(words)")


def test_the_edge_gives_the_headers_that_render_gives() -> None:
    block = site_block("(words)")
    for name, value in SECURITY.items():
        assert f'{name} "{value}"' in block
    assert f'import words "{CONTENT_TYPES[".html"]}" "{REVALIDATED}"\n' in site_block("(page)")
    assert "import words {content_type} {keeping}\n" in site_block("(file)")
    assert f'~^/assets/ "{IMMUTABLE}"' in site_block("(file)")
    assert f'default "{REVALIDATED}"' in site_block("(file)")


def test_the_edge_heeds_no_time_and_tells_that_of_feeds_alone() -> None:
    """A second is too coarse for what must never be shown once it was taken back."""
    assert "request_header -If-Modified-Since\n" in site_block("(words)")
    assert "header -Last-Modified\n" in site_block("(page)")
    assert "header @other -Last-Modified\n" in site_block("(file)")


def test_the_edge_names_the_content_types_that_render_names() -> None:
    told = dict(re.findall(r'~\\(\.\w+)\$ "([^"]+)"', site_block("(file)")))
    by_name = dict(re.findall(r'~\^?/(\w+\\\.\w+)\$ "([^"]+)"', site_block("(file)")))
    default = re.search(r'default "(text/html[^"]+)"', site_block("(file)"))
    assert default
    assert told | {".html": default[1]} == dict(CONTENT_TYPES)
    assert {name.replace("\\", ""): named for name, named in by_name.items()} == dict(NAMED_TYPES)
    assert site_block("(file)").index("license") < site_block("(file)").index(
        r"~\.css"
    )  # the first match counts


def test_the_edge_lets_programs_of_other_sites_read_what_render_lets_them() -> None:
    kinds = ("atom", "rss", "json")
    feeds = " ".join(f"*/feed.{kind}" for kind in kinds)
    assert f"@feed path {feeds}\n" in site_block("(file)")
    assert "header @feed Access-Control-Allow-Origin *\n" in site_block("(file)")
    for kind in kinds:
        assert of_file(f"/tags/astana/feed.{kind}").items() >= READ_ANYWHERE.items()
    assert of_file("/index.html").keys().isdisjoint(READ_ANYWHERE)


def test_readers_get_a_page_in_the_sites_look_while_nothing_answers() -> None:
    block = site_block(":8000")
    assert f"@left file {UNAVAILABLE}\n" in block
    assert f"rewrite * {UNAVAILABLE}\n" in block


@pytest.mark.parametrize("block", [":8000", "(file)"])
def test_no_matcher_of_the_edge_is_defined_twice(block: str) -> None:
    """Caddy would not start."""
    named = re.findall(r"^\t+(@\w+) ", site_block(block), re.MULTILINE)
    assert len(set(named)) == len(named) > 1
