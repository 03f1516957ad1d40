# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR source=lib.sh
# Prerequisites of this machine: checks with one-line errors, and functions that install and start missing programs.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

check_sdk() {
  local wanted
  wanted=$(sed -n 's/.*"version": *"\(.*\)".*/\1/p' "$root/global.json")
  have dotnet || fail "The .NET SDK is missing. Install $wanted or a later 10.0 version: https://dotnet.microsoft.com/download/dotnet/10.0"
  (cd "$root" && dotnet --version >/dev/null 2>&1) || fail "The .NET SDK must be $wanted or a later 10.0 version. This machine has:$(dotnet --list-sdks |
    cut -d ' ' -f 1 | paste -sd , | sed 's/^/ /;s/,/, /g'). See https://dotnet.microsoft.com/download/dotnet/10.0"
}

# check_space DIRECTORY GIB
check_space() {
  local free
  free=$(df --output=avail --block-size=1M "$1" | tail -n 1)
  ((free >= $2 * 1024)) || fail "$1 has $((free)) MB of free disk space; $2 GB are required."
}

# install PACKAGE...
install() {
  if ! is_root || ! have apt-get; then
    fail "Missing programs: $*. Install them and start again, for example: sudo apt-get install --yes $*"
  fi
  step "Installing $*" apt_install "$@"
}

# Does not start the packages' services, now or at boot, because these scripts start what they need.
apt_install() {
  local policy=/usr/sbin/policy-rc.d
  if [[ ! -e $policy ]]; then
    trap "rm -f /usr/sbin/policy-rc.d" EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  apt_get update || true
  apt_get install "$@"
  local package
  for package in redis-server haproxy; do
    if [[ -d /run/systemd/system && " $* " == *" $package "* ]]; then systemctl disable "$package"; fi
  done
}

# ensure_programs NAME...: Debian's packages have the same names as the programs.
ensure_programs() {
  local missing=() program
  for program in "$@"; do
    have "$program" || missing+=("$program")
  done
  [[ ${#missing[@]} -eq 0 ]] || install "${missing[@]}"
}

# The recognizer of words, and a speech server whose tests are skipped where it cannot be built.
ensure_speech() {
  if ! have pocketsphinx_continuous || [[ ! -d /usr/share/pocketsphinx/model/en-us ]]; then
    (install pocketsphinx pocketsphinx-en-us) || say "Tests that recognize words are skipped."
  fi
  if { ! have cmake || ! have g++; } && is_root && have apt-get; then (install cmake g++) || true; fi
  say "Building the speech server for tests"
  "$root/eng/whisper-server" || say "Its tests are skipped."
}

# Some of the long tests use tools of npm, and are skipped without it.
try_npm() {
  have npm || { is_root && have apt-get && (step "Installing npm" apt_install npm); } || say "npm is missing, so the tests that check the API description with it are skipped."
}

# docker_responds [SECONDS]: fails with 124 if the engine has not answered in that time.
docker_responds() { timeout "${1:-10}" docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

ensure_docker() {
  local code=0
  have docker || install docker.io
  docker_responds || code=$?
  if ((code == 124)); then
    say "The Docker engine is slow: no answer for 10 s. Waiting for one more minute."
    code=0
    docker_responds 60 || code=$?
    ((code != 124)) || fail "The Docker engine${DOCKER_HOST:+ at DOCKER_HOST=$DOCKER_HOST} has not answered for 70 s. Check it with: docker version"
  fi
  if ((code)); then
    [[ -z ${DOCKER_HOST:-} ]] || fail "The Docker engine at DOCKER_HOST=$DOCKER_HOST is unreachable."
    if ! is_root; then
      [[ ! -S /var/run/docker.sock || -w /var/run/docker.sock ]] ||
        fail "User $(id -un) has no access to the Docker engine. Add the user to the group docker, or run this as root."
      fail "The Docker engine is not running. Start it, for example: sudo systemctl start docker"
    fi
    have dockerd || install docker.io
    start_docker
  fi
  check_space "$state" 1
  local store
  store=$(timeout 60 docker info --format '{{.DockerRootDir}}') || fail "The Docker engine has not answered for 60 s. Check it with: docker info"
  [[ ! -d $store ]] || check_space "$store" "$(docker image inspect newarbots/recorder:dev >/dev/null 2>&1 && echo 1 || echo 4)"
}

start_docker() {
  if [[ -d /run/systemd/system ]]; then
    step "Starting the Docker engine" systemctl start docker
  else
    say "Starting the Docker engine"
    # With the default PID file, the engine refuses to start after a power failure left that file behind.
    rm -f "$state/dockerd.pid"
    # It must not hold the lock of ./run (9).
    setsid dockerd --pidfile "$state/dockerd.pid" </dev/null >"$logs/dockerd.log" 2>&1 9>&- &
    dockerd=$!
    disown
    wait_until 60 docker_responds_or_stopped || true
    kill -0 "$dockerd" 2>/dev/null || fail "The Docker engine failed to start: $(grep -v level=info "$logs/dockerd.log" | tail -n 1) (log: $logs/dockerd.log)"
  fi
  docker_responds || fail "The Docker engine was started but does not respond (log: $logs/dockerd.log)."
}

docker_responds_or_stopped() { docker_responds || ! kill -0 "$dockerd"; }

# Stops the engine that start_docker started, unless containers are running: bots keep recording.
stop_docker() {
  local pid running
  pid=${dockerd:-$(cat "$state/dockerd.pid" 2>/dev/null)} && grep --quiet --fixed-strings "$state/dockerd.pid" "/proc/$pid/cmdline" 2>/dev/null || return 0
  running=$(timeout 10 docker ps --quiet) || running='?'
  if [[ $running == '?' ]]; then
    say "The Docker engine does not say whether containers are running, so it keeps running."
  elif [[ -n $running ]]; then
    say "$(wc -l <<<"$running") container(s) are still running, so the Docker engine keeps running too. The next start reuses it."
  else
    kill -TERM "$pid"
    wait_until 30 test ! -e "/proc/$pid" || kill -KILL "$pid" 2>/dev/null || true
  fi
}
