import asyncio

import pytest
import pytest_asyncio


@pytest_asyncio.fixture
async def running(dispatcher):
    main = asyncio.create_task(dispatcher.main())
    try:
        await dispatcher.metrics.ready.wait()
        yield dispatcher
    finally:
        await dispatcher.shutdown()
        await main


@pytest.mark.asyncio
async def test_metrics(running, fetch):
    answer = await asyncio.create_task(fetch("/metrics"))
    assert answer.status_code == 200
    assert "messages_received_total" in answer.text
