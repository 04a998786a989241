#!/bin/sh
# status.sh JOB tells Snakemake in a word how a job is: running, success or failed.
# Another scheduler has another command for the state and other words; docs/clusters.md lists some.
state=$(squeue --noheader --states=all --format=%T --jobs="$1" 2>&1)
case "$state" in
    COMPLETED) echo success ;;
    BOOT_FAIL | CANCELLED | DEADLINE | FAILED | NODE_FAIL | OUT_OF_MEMORY | TIMEOUT) echo failed ;;
    *"Invalid job id"*) echo failed ;; # forgotten: it may have ended in any way
    *) echo running ;; # or the scheduler does not answer now
esac
