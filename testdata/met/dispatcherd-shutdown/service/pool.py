import asyncio
import queue

from service.process import Workers


class Pool:
    def __init__(self, workers: Workers, patience=3):
        self.workers = workers
        self.patience = patience
        self.results: asyncio.Task | None = None

    async def start(self):
        self.results = asyncio.create_task(self.read_results(), name="results")

    async def read_results(self):
        while True:
            try:
                message = await self.workers.next_done(timeout=10)
            except queue.Empty:
                continue
            except (EOFError, OSError, RuntimeError, TypeError):  # finding: closed-under-reader
                if self.workers.is_closed():
                    return
                raise
            if message == "stop":
                return
            print(message["worker"], message["event"])

    async def _end_results(self):
        results = self.results
        if not results or results.done():
            return
        self.workers.send_stop()
        try:
            await asyncio.wait_for(results, timeout=self.patience)
        except asyncio.TimeoutError:
            results.cancel()
        self.results = None

    async def shutdown(self):
        await self._end_results()
        self.workers.shutdown()  # other end: closed-under-reader
