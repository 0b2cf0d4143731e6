import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

logger = logging.getLogger(__name__)


@dataclass
class WorkdirHandler:
    workdir: Optional[Path] = None
    olddir: Optional[Path] = field(init=False, default=None)

    def change_to(self):
        if self.workdir is not None:
            self.olddir = Path.cwd()
            if not self.workdir.exists():  # other end: check-then-act
                logger.info(f"Creating {self.workdir}.")
                self.workdir.mkdir(parents=True)  # finding: check-then-act
            os.chdir(self.workdir)
