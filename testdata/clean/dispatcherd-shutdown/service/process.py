import asyncio
import multiprocessing


class Workers:
    """Owns the queue on which the workers say that they have finished."""

    method = "forkserver"

    def __init__(self, settings):
        self.settings = settings
        self.ctx = multiprocessing.get_context(self.method)
        self.done_queue: multiprocessing.Queue = self.ctx.Queue()
        self.closed = False

    def send_stop(self):
        try:
            self.done_queue.put("stop")
        except Exception as error:
            print("could not send the stop message", error)

    async def next_done(self, timeout=None):
        if self.closed:
            raise RuntimeError("closed")
        return await asyncio.to_thread(self.done_queue.get, timeout=timeout)

    def shutdown(self):
        self.closed = True
        self.send_stop()
        self.done_queue.close()

    def is_closed(self):
        return self.closed
