"""The terminal shows the jobs and their progress; .snakemake/log has the rest too."""

import io
import logging

from snakemake.logging import LoggerManager
from snakemake.settings.types import OutputSettings
from snakemake_interface_logger_plugins.common import LogEvent

from tsf.workflow.terminal import show_less


def shown(verbose: bool) -> str:
    """What Snakemake's own handler prints of the lines of one job."""
    logger = logging.Logger("a run")
    LoggerManager(logger, OutputSettings(verbose=verbose))
    (handler,) = logger.handlers
    handler.stream = io.StringIO()
    show_less(logger)
    logger.info("Select jobs to execute...")
    logger.info("Execute 2 jobs...", extra={"event": LogEvent.JOB_STARTED})
    job = {"event": LogEvent.JOB_INFO, "jobid": 8, "rule_msg": "export it", "reason": "it is due"}
    logger.info(None, extra=job)
    logger.info("Finished jobid: 8", extra={"event": LogEvent.JOB_FINISHED})
    logger.info(None, extra={"event": LogEvent.PROGRESS, "done": 1, "total": 4})
    logger.error("Exiting because a job execution failed.")
    return handler.stream.getvalue()


def test_the_jobs_and_the_progress_are_shown_and_not_the_scheduler():
    text = shown(verbose=False)
    assert "Job 8: export it" in text and "1 of 4 steps (25%) done" in text and "failed" in text
    assert not any(word in text for word in ("Select", "Execute", "Finished"))


def test_all_is_shown_if_it_is_asked_for():
    assert all(word in shown(verbose=True) for word in ("Select", "Execute", "Finished"))
