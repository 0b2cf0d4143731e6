from learn.defaults import defaults
from learn.learner import *
