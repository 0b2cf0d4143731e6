from .tasks.split import Split

__all__ = ["Split"]
