"""What of Snakemake's own lines a run shows; its log in .snakemake/log has them all."""

import logging

from snakemake_interface_logger_plugins.common import LogEvent

# the scheduler's, for every job: that it looks for one, starts one, and that one has ended
_OF_THE_SCHEDULER = {LogEvent.JOB_STARTED, LogEvent.JOB_FINISHED}
# once a run: true of every run, whatever it does
_BEGINNINGS = ("Select jobs", "Using shell:", "Rules claiming more", "Conda environments: ignored")


def is_shown(record: logging.LogRecord) -> bool:
    """Whether a line of Snakemake's is about the run, and not about its scheduler."""
    if getattr(record, "event", None) in _OF_THE_SCHEDULER:
        return False
    return not str(record.msg).startswith(_BEGINNINGS)


def show_less(snakemakes: logging.Logger) -> None:
    """Filter what Snakemake prints, unless it is asked for all of it (--verbose)."""
    if snakemakes.isEnabledFor(logging.DEBUG):
        return
    for handler in snakemakes.handlers:
        if handler.name == "DefaultStreamHandler":
            handler.addFilter(is_shown)
