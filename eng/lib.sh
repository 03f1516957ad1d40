# shellcheck shell=bash
# Shared by `run`, `test` and the image builds: paths, messages, long steps and background services. Expects `set -euo pipefail`.

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

# engine_architecture: prints the Docker engine's architecture. Fails with the reason if the engine does not answer within 60 s.
engine_architecture() {
  local code=0 answer
  answer=$(timeout 60 docker version --format '{{.Server.Arch}}' 2>&1) || code=$?
  case $code in
    0) printf '%s\n' "$answer" ;;
    124) fail "The Docker engine has not answered for 60 s. Check it with: docker version" ;;
    *) fail "The Docker engine is unreachable: $(tail -n 1 <<<"$answer")" ;;
  esac
}

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

# A service is a background process in its own session. It is recorded by process id and start time, so that a later process with the same id
# is not mistaken for it.

# start_service NAME COMMAND...
start_service() {
  local name=$1
  shift
  setsid "$@" </dev/null >"$logs/$name.log" 2>&1 &
  record_service "$name" "$!"
  disown
}

# record_service NAME PID
record_service() {
  mkdir -p "$state/services"
  printf '%s %s\n' "$2" "$(start_time "$2")" >"$state/services/$1"
}

# start_time PID: the process's start time in clock ticks; empty if it does not exist or is a zombie.
start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'; }

# service_pid NAME: prints the process id; fails if the service is not running.
service_pid() {
  local pid start
  [[ -f $state/services/$1 ]] && read -r pid start <"$state/services/$1" || return 1
  [[ -n $start && $(start_time "$pid") == "$start" ]] || return 1
  printf '%s\n' "$pid"
}

service_stopped() { ! service_pid "$1"; }

# stop_service NAME: sends SIGTERM, and SIGKILL after 30 s.
stop_service() {
  local pid
  if pid=$(service_pid "$1"); then
    kill -TERM "$pid" 2>/dev/null || true
    wait_until 30 service_stopped "$1" || kill -KILL -- "-$pid" 2>/dev/null || true
  fi
  rm -f "$state/services/$1"
}
