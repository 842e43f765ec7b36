"""The official SDKs of the providers work with the gateway by changing nothing but their base URL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import groq
import pytest
import together

from serving.process import serving
from serving.world import CAPABILITIES

ENDPOINT: Any = "/v1/chat/completions"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving("--sandbox", CAPABILITIES, cwd=tmp_path_factory.mktemp("gateway")) as served:
        yield served.rest
        assert served.stop().returncode == 0


def test_together_runs_the_life_of_a_batch(gateway: str) -> None:
    with together.Together(base_url=gateway, api_key="caller-key", max_retries=0) as client:
        created: Any = client.batches.create(endpoint=ENDPOINT, input_file_id="file-1")
        listed: Any = client.batches.list()
        read = client.batches.retrieve(created.id)
        cancelled = client.batches.cancel(created.id)
        with pytest.raises(together.NotFoundError, match="there is no 'b-9' here"):
            client.batches.retrieve("b-9")

    assert (created.input_file_id, created.endpoint) == ("file-1", ENDPOINT)
    assert created.id in [one["id"] for one in listed["data"]]
    assert (read.id, read.input_file_id, cancelled.status) == (created.id, "file-1", "cancelled")


def test_together_runs_the_life_of_a_fine_tuning_job(gateway: str) -> None:
    with together.Together(base_url=gateway, api_key="caller-key", max_retries=0) as client:
        job: Any = client.post("/v1/fine-tunes", body={"model": "m", "training_file": "file-1"}, cast_to=object)
        listed = client.fine_tuning.list()
        read = client.fine_tuning.retrieve(job["id"])
        events: Any = client.fine_tuning.list_events(job["id"])
        checkpoints: Any = client.fine_tuning.list_checkpoints(job["id"])
        metrics = client.fine_tuning.list_metrics(job["id"])
        cancelled = client.fine_tuning.cancel(job["id"])
        deleted: Any = client.fine_tuning.delete(job["id"])
        with pytest.raises(together.NotFoundError):
            client.fine_tuning.retrieve(job["id"])

    assert [one.id for one in listed.data] == [job["id"]] == ["fine-tune-0001"]
    assert (read.id, read.model, read.training_file) == (job["id"], "m", "file-1")
    assert (events.events, checkpoints.checkpoints, metrics.metrics) == ([], [], [])
    assert (cancelled.status, deleted.deleted) == ("cancelled", True)


def test_together_asks_for_prices_limits_and_files(gateway: str) -> None:
    with together.Together(base_url=gateway, api_key="caller-key", max_retries=0) as client:
        limits: Any = client.fine_tuning.model_limits(model_name="meta/m")
        price: Any = client.fine_tuning.estimate_price(training_file="file-1")
        content = client.fine_tuning.content(ft_id="ft-1", checkpoint="merged").read()

    assert limits.received == {"query": {"model_name": "meta/m"}}
    assert price.received == {"body": {"training_file": "file-1"}}
    assert b'"query":{"ft_id":"ft-1","checkpoint":"merged"}' in content


def test_groq_runs_the_life_of_a_batch(gateway: str) -> None:
    with groq.Groq(base_url=f"{gateway}/v1", api_key="caller-key", max_retries=0) as client:
        created = client.batches.create(completion_window="24h", endpoint=ENDPOINT, input_file_id="file-1")
        listed = client.batches.list()
        read = client.batches.retrieve(created.id)
        cancelled = client.batches.cancel(created.id)
        with pytest.raises(groq.NotFoundError, match="there is no 'b-9' here"):
            client.batches.retrieve("b-9")

    assert created.id in [one.id for one in listed.data]
    assert (read.input_file_id, read.completion_window, cancelled.status) == ("file-1", "24h", "cancelled")


@pytest.mark.anyio
async def test_the_asynchronous_clients_work_too(gateway: str) -> None:
    async with together.AsyncTogether(base_url=gateway, api_key="caller-key", max_retries=0) as one:
        mine: Any = await one.batches.create(endpoint=ENDPOINT, input_file_id="file-1")
    async with groq.AsyncGroq(base_url=f"{gateway}/v1", api_key="caller-key", max_retries=0) as other:
        theirs = await other.batches.create(completion_window="24h", endpoint=ENDPOINT, input_file_id="file-1")
        listed = await other.batches.list()

    assert mine.id != theirs.id
    ids = [batch.id for batch in listed.data]
    assert (theirs.id in ids, mine.id in ids) == (True, False)
