from learn.basics import *
from learn.progress import *
