# shellcheck shell=bash
# What `run`, `test` and the image build share: where things are, how to speak to the user, how long steps and background parts
# are run. Sourced with `set -euo pipefail` in force.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
state=$root/.state
logs=$state/logs
mkdir -p "$logs"

say() { printf '%s\n' "$*"; }

# One line for the user, then out: no stack trace, nothing to scroll through.
fail() {
  printf 'Error: %s\n' "$*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

is_root() { [[ $EUID -eq 0 ]]; }

# apt_get COMMAND...: asks nothing, and waits for another that is at work, as on a machine's first minutes.
apt_get() { DEBIAN_FRONTEND=noninteractive apt-get --yes --quiet --option DPkg::Lock::Timeout=300 "$@"; }

# heed_interrupt "$0" "$@": a script's background command ignores SIGINT from birth, and a shell cannot take that back by itself.
heed_interrupt() {
  if ((0x$(awk '/^SigIgn/ { print $2 }' /proc/$$/status) & 2)); then exec env --default-signal=INT bash "$@"; fi
}

# until_true SECONDS command...: asks until the answer is yes; no answer in time is a no.
until_true() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

# step TITLE command...: runs it with its output in a log, tells every 10 s that it still runs, and shows the log's end when it
# fails. It is a process group of its own, so that Ctrl-C reaches it only through abandon_step.
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
    fail "this step failed: $title (exit code $code, whole log: $log)"
  fi
}

abandon_step() {
  [[ -z $step_pid ]] || kill -TERM -- "-$step_pid" 2>/dev/null || true
}

# A part is a program in the background, in a session of its own, remembered by process id and start time: whoever comes later
# can tell it from a stranger that was given the same id.

# start_part NAME command...
start_part() {
  local name=$1
  shift
  setsid "$@" </dev/null >"$logs/$name.log" 2>&1 &
  remember_part "$name" "$!"
  disown
}

# remember_part NAME PID
remember_part() {
  mkdir -p "$state/parts"
  printf '%s %s\n' "$2" "$(started_at "$2")" >"$state/parts/$1"
}

# When the process was started, in the kernel's own ticks; nothing, where there is none or only its remains.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'; }

# part_pid NAME: the process id, where the part still runs.
part_pid() {
  local pid start
  [[ -f $state/parts/$1 ]] && read -r pid start <"$state/parts/$1" || return 1
  [[ -n $start && $(started_at "$pid") == "$start" ]] || return 1
  printf '%s\n' "$pid"
}

part_gone() { ! part_pid "$1"; }

# stop_part NAME: asks, waits up to 30 s, then insists.
stop_part() {
  local pid
  if pid=$(part_pid "$1"); then
    kill -TERM "$pid" 2>/dev/null || true
    until_true 30 part_gone "$1" || kill -KILL -- "-$pid" 2>/dev/null || true
  fi
  rm -f "$state/parts/$1"
}
