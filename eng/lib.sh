# shellcheck shell=bash
# Shared by `run`, `test` and the image builds: paths, messages and long steps. Expects `set -euo pipefail`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
state=$root/.state
logs=$state/logs
mkdir -p "$logs"

say() { printf '%s\n' "$*"; }

# fail MESSAGE: prints one line and exits.
fail() {
  printf 'Error: %s\n' "$*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

is_root() { [[ $EUID -eq 0 ]]; }

# apt_get COMMAND...: never prompts, and waits for another apt-get to finish, as in a new machine's first minutes.
apt_get() { DEBIAN_FRONTEND=noninteractive apt-get --yes --quiet --option DPkg::Lock::Timeout=300 "$@"; }

# enable_interrupt "$0" "$@": restarts a script that ignores SIGINT. Scripts started in the background do, and a shell cannot reset it.
enable_interrupt() {
  if ((0x$(awk '/^SigIgn/ { print $2 }' /proc/$$/status) & 2)); then exec env --default-signal=INT bash "$@"; fi
}

# wait_until SECONDS COMMAND...: runs the command until it succeeds; fails after the timeout.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# check_engine: fails with the reason if the Docker engine does not answer within 60 s.
check_engine() { timeout 60 docker version >/dev/null || fail "The Docker engine is unreachable or has not answered for 60 s. Check it with: docker version"; }

# step TITLE COMMAND...: runs the command with its output in a log file, prints progress every 10 s, and prints the end of the log if it
# fails. The command has its own process group, so Ctrl-C reaches it only through cancel_step.
step_pid=
step() {
  local title=$1 started=$SECONDS told=$SECONDS code=0 log
  shift
  log=$logs/$(tr -cs '[:alnum:]\n' '-' <<<"${title,,}").log
  say "$title"
  set -m
  ("$@") </dev/null >"$log" 2>&1 &
  set +m
  step_pid=$!
  while kill -0 "$step_pid" 2>/dev/null; do
    sleep 0.1
    if ((SECONDS - told >= 10)); then
      told=$SECONDS
      say "  ... $((SECONDS - started)) s"
    fi
  done
  wait "$step_pid" || code=$?
  step_pid=
  if ((code)); then
    tail -n 20 "$log" | sed 's/^/  | /' >&2
    fail "$title failed (exit code $code, full log: $log)"
  fi
}

cancel_step() {
  [[ -z $step_pid ]] || kill -TERM -- "-$step_pid" 2>/dev/null || true
}
