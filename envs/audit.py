"""Known vulnerabilities of the locked packages: `make audit`. Ends with 1 if there is one.

pip-audit asks a database on the network, PyPI's or OSV's; it takes a package that the database
does not answer for as one without fault. Here that is an error.
"""

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ENVS = Path(__file__).parent
LOCKS = ("cpu.lock", "openvino.lock", "test.lock", "cluster.lock", "audit.lock")
# those of torch are apart: a database knows a release by its number without +cpu
TORCH = "torch-cuda.lock"


def found(lock: str, service: str) -> list[dict]:
    """What pip-audit tells of each package of a lock. Ends the program if it cannot ask."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(ENVS / lock), "--no-deps"]
    command += ["--disable-pip", "--format", "json", "--progress-spinner", "off"]
    command += ["--vulnerability-service", service]
    result = subprocess.run(command, capture_output=True, text=True)
    try:
        packages: list[dict] = json.loads(result.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        sys.exit(f"error: {service}'s database cannot be asked, nothing was audited ({last[:150]})")
    return packages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service", choices=["pypi", "osv"], default="osv")
    args = parser.parse_args()

    packages = [package for lock in (*LOCKS, TORCH) for package in found(lock, args.service)]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if len(unknown) == len(packages):
        sys.exit(f"error: {args.service}'s database answered for no package, nothing was audited")
    faults = [(package, fault) for package in packages for fault in package.get("vulns", [])]
    for package, fault in faults:
        mended = ", ".join(fault["fix_versions"]) or "no release yet"
        print(f"{package['name']} {package['version']}: {fault['id']}, mended in {mended}")
    if unknown:
        print(f"not in the database: {', '.join(unknown)}")
    today = datetime.now(UTC).date()
    known = len(packages) - len(unknown)
    print(f"{today}, {args.service}: {known} packages, {len(faults)} known vulnerabilities")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
