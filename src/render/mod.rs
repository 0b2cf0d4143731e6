//! One small file for each output format. A renderer takes a report and pages, filters nothing, and writes to what it is given.
