import asyncio

import pytest


@pytest.mark.asyncio
async def test_metrics(dispatcher, fetch):
    main = asyncio.create_task(dispatcher.main())  # finding: unjoined-work
    await dispatcher.metrics.ready.wait()
    answer = await asyncio.create_task(fetch("/metrics"))
    assert answer.status_code == 200  # other end: unjoined-work
    assert "messages_received_total" in answer.text
    await dispatcher.shutdown()
    await main  # other end: unjoined-work
