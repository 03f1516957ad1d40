# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR source=lib.sh
# What the machine must have: checks that say in one line what is wrong, and the installing and starting of what is missing.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

check_sdk() {
  local wanted
  wanted=$(sed -n 's/.*"version": *"\(.*\)".*/\1/p' "$root/global.json")
  have dotnet || fail "The .NET SDK is missing; install $wanted or a later 10.0: https://dotnet.microsoft.com/download/dotnet/10.0"
  (cd "$root" && dotnet --version >/dev/null 2>&1) || fail "The .NET SDK must be $wanted or a later 10.0; this machine has:$(dotnet --list-sdks |
    cut -d ' ' -f 1 | paste -sd , | sed 's/^/ /;s/,/, /g'). See https://dotnet.microsoft.com/download/dotnet/10.0"
}

# check_space DIRECTORY GIB
check_space() {
  local free
  free=$(df --output=avail --block-size=1M "$1" | tail -n 1)
  ((free >= $2 * 1024)) || fail "$1 has $((free)) MB of disk space left, and $2 GB are needed."
}

port_taken() { (: <>"/dev/tcp/$1/$2") 2>/dev/null; }

# install PACKAGE...
install() {
  if ! is_root || ! have apt-get; then
    fail "This is missing: $*. Install it and start again, for example: sudo apt-get install --yes $*"
  fi
  step "Installing $*" apt_install "$@"
}

# The services of the packages are not started, now or with the machine: what NewarBots needs it starts itself.
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

# Debian's packages carry the names of the programs.
ensure_programs() {
  local missing=() program
  for program in "$@"; do
    have "$program" || missing+=("$program")
  done
  [[ ${#missing[@]} -eq 0 ]] || install "${missing[@]}"
}

# Aspire's command line, which holds the dashboard, is a package of npm's.
aspire_home=$state/aspire
aspire_version=$(sed -n 's/.*<AspireVersion>\(.*\)<.*/\1/p' "$root/Directory.Packages.props")
case $(uname -m) in
  aarch64) aspire_package=@microsoft/aspire-cli-linux-arm64 ;;
  *) aspire_package=@microsoft/aspire-cli-linux-x64 ;;
esac
aspire=$aspire_home/node_modules/$aspire_package/bin/aspire

aspire_installed() { [[ -x $aspire && -s $aspire_home/version && $(<"$aspire_home/version") == "$aspire_version" ]]; }

ensure_aspire() {
  aspire_installed && return
  have npm || fail "npm, which brings the Aspire dashboard, is not installed. Install it and start again, for example: sudo apt-get install --yes npm"
  mkdir -p "$aspire_home"
  step "Installing the Aspire dashboard" \
    npm install --prefix "$aspire_home" --no-save --no-audit --no-fund "$aspire_package@$aspire_version"
  printf '%s\n' "$aspire_version" >"$aspire_home/version"
}

docker_answers() { timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

ensure_docker() {
  have docker || install docker.io
  if ! docker_answers; then
    [[ -z ${DOCKER_HOST:-} ]] || fail "No Docker engine answers at DOCKER_HOST=$DOCKER_HOST."
    if ! is_root; then
      [[ ! -S /var/run/docker.sock || -w /var/run/docker.sock ]] ||
        fail "The Docker engine is not open to $(id -un): add the user to the group docker, or start this as root."
      fail "No Docker engine answers. Start it, for example: sudo systemctl start docker"
    fi
    have dockerd || install docker.io
    start_docker
  fi
  check_space "$state" 1
  local store
  store=$(docker info --format '{{.DockerRootDir}}')
  [[ ! -d $store ]] || check_space "$store" "$(docker image inspect newarbots/recorder:dev >/dev/null 2>&1 && echo 1 || echo 4)"
}

start_docker() {
  if [[ -d /run/systemd/system ]]; then
    step "Starting the Docker engine" systemctl start docker
  else
    say "Starting the Docker engine"
    # A process id file of our own: the usual one, left behind by a machine that went down, keeps the engine from starting.
    rm -f "$state/dockerd.pid"
    start_part dockerd dockerd --pidfile "$state/dockerd.pid"
    until_true 60 docker_up_or_gone
    part_pid dockerd >/dev/null || fail "The Docker engine does not start: $(grep -v level=info "$logs/dockerd.log" | tail -n 1) (log: $logs/dockerd.log)"
  fi
  docker_answers || fail "The Docker engine was started and does not answer (log: $logs/dockerd.log)."
}

docker_up_or_gone() { docker_answers || part_gone dockerd; }

# Stops the engine where start_docker has started it, unless something runs on it: a bot goes on recording.
stop_docker() {
  part_pid dockerd >/dev/null || return 0
  local running
  running=$(docker ps --quiet | wc -l)
  if ((running)); then
    say "$running container(s) still run: the Docker engine stays up for them. The next start takes it over."
  else
    stop_part dockerd
  fi
}

# The address under which containers find this machine (what `host-gateway` stands for), where it is an address of this machine.
docker_gateway() {
  local gateway
  gateway=$(docker network inspect bridge --format '{{range .IPAM.Config}}{{or .Gateway .Subnet}}{{end}}' 2>/dev/null) || return 0
  # A subnet: the engine takes its first address.
  [[ $gateway != */* ]] || gateway=${gateway%.*}.1
  [[ " $(hostname -I) " != *" $gateway "* ]] || printf '%s\n' "$gateway"
}

build_recorder_image() {
  step "Building the recorder image newarbots/recorder:dev" \
    dotnet build "$root/NewarBots.Recorder" -target:RecorderImage -nologo -verbosity:minimal
}
