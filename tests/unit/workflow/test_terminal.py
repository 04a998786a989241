"""The terminal shows the jobs and their progress; the logs have the rest too."""

import io
import logging
import subprocess

import pytest
from snakemake.logging import LoggerManager
from snakemake.settings.types import OutputSettings
from snakemake_interface_logger_plugins.common import LogEvent

from tsf.workflow.terminal import SHELL_PREFIX, show_less

USED = "used 3.92 s of CPU time, 2.49 s of it to start"


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


@pytest.mark.parametrize("status", [0, 3])
def test_the_cpu_time_is_in_the_log_alone_and_the_status_is_the_steps(tmp_path, status):
    step = f"(echo 'raw frames: 8/8 videos'; echo '{USED}' >&2; exit {status}) 2>&1 | tee 'a log'"
    run = subprocess.run(
        ["bash", "-c", SHELL_PREFIX.format() + step], cwd=tmp_path, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout, run.stderr) == (status, "raw frames: 8/8 videos\n", "")
    assert (tmp_path / "a log").read_text() == f"raw frames: 8/8 videos\n{USED}\n"
