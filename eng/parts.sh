# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR source=machine.sh
# The parts that `run` starts itself where Aspire's AppHost cannot: Redis, the dashboard, the manager.
source "$(dirname "${BASH_SOURCE[0]}")/machine.sh"

# The port at which the manager is to answer; the AppHost has its own for it.
manager_port() {
  if [[ $UseAspire != true && -n ${ASPNETCORE_URLS:-} ]]; then
    [[ $ASPNETCORE_URLS =~ :([0-9]+)(/|;|$) ]] || fail "ASPNETCORE_URLS=$ASPNETCORE_URLS names no port."
    printf '%s\n' "${BASH_REMATCH[1]}"
  else
    echo 8082
  fi
}

# free_port FIRST: the first port from there on that nobody holds on this machine.
free_port() {
  local port=$1
  while port_taken 127.0.0.1 "$port" || { [[ -n $gateway ]] && port_taken "$gateway" "$port"; }; do
    port=$((port + 1))
  done
  printf '%s\n' "$port"
}

# Starts a Redis of our own and leaves its address in redis_connection. It listens on this machine and towards the bots'
# containers, and asks everybody for a password that is made once.
start_redis() {
  local home=$state/redis password port
  mkdir -p "$home"
  chmod 700 "$home"
  [[ -s $home/password ]] || (umask 077 && od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$home/password")
  password=$(<"$home/password")
  port=$(free_port 6379)
  (umask 077 && cat >"$home/redis.conf") <<CONF
bind 127.0.0.1 $gateway
port $port
requirepass $password
dir "$home"
appendonly yes
proto-max-bulk-len 1mb
CONF
  say "Starting Redis on port $port"
  start_part redis redis-server "$home/redis.conf"
  REDISCLI_AUTH=$password until_true 30 redis_up_or_gone "$port"
  part_pid redis >/dev/null || fail "Redis does not start: $(tail -n 1 "$logs/redis.log") (log: $logs/redis.log)"
  redis_connection="127.0.0.1:$port,password=$password"
}

redis_up_or_gone() { [[ $(redis-cli -p "$1" ping 2>/dev/null) == PONG ]] || part_gone redis; }

# Starts Aspire's dashboard and leaves its addresses in dashboard and otlp; without npm, which brings it, it is left out.
start_dashboard() {
  local grpc http ui
  if ! aspire_installed && ! have npm; then
    say "Without the Aspire dashboard: npm, which brings it, is not installed."
    return
  fi
  ensure_aspire
  ui=$(free_port 18888)
  grpc=$(free_port 4317)
  http=$(free_port $((grpc + 1)))
  dashboard=http://localhost:$ui
  # Bots send their telemetry too: the one address that they and this machine both reach.
  otlp=http://${gateway:-127.0.0.1}:$grpc
  say "Starting the Aspire dashboard"
  # ASPNETCORE_URLS is the manager's: the dashboard would listen there too.
  start_part dashboard env --unset=ASPNETCORE_URLS "$root/eng/aspire-dashboard" \
    --frontend-url "http://127.0.0.1:$ui" --otlp-grpc-url "$otlp" --otlp-http-url "http://127.0.0.1:$http"
}

# The manager, built beforehand, gets the whole environment of `run`; what that sets itself wins.
start_manager() {
  local settings=(
    "ASPNETCORE_ENVIRONMENT=${ASPNETCORE_ENVIRONMENT:-Development}"
    "ASPNETCORE_URLS=${ASPNETCORE_URLS:-http://127.0.0.1:8082}"
    "ConnectionStrings__redis=${ConnectionStrings__redis:-$redis_connection}"
    "OTEL_EXPORTER_OTLP_ENDPOINT=${OTEL_EXPORTER_OTLP_ENDPOINT:-$otlp}"
  )
  say "Starting the manager"
  start_part manager env --chdir="$root/NewarBots.Manager" "${settings[@]}" dotnet bin/Release/net10.0/NewarBots.Manager.dll
  wait_for_manager manager 300
}

# Everything at once, where Aspire's packages can be had: Redis, the image, the manager and the dashboard, by the AppHost.
start_apphost() {
  step "Building the AppHost" dotnet build NewarBots.AppHost -nologo -verbosity:minimal
  # shellcheck disable=SC2034 # read by `run`
  dashboard=http://localhost:18888
  say "Starting the AppHost"
  start_part apphost env --unset=ASPNETCORE_URLS ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS=true \
    dotnet run --project NewarBots.AppHost --no-build
  # The recorder image is built on the way.
  wait_for_manager apphost 1200
}

# wait_for_manager PART SECONDS: until the manager answers, or the part that would bring it is gone.
wait_for_manager() {
  until_true "$2" manager_up_or_gone "$1" || true
  part_pid "$1" >/dev/null || fail "The $1 does not start: $(grep --max-count=1 --ignore-case exception "$logs/$1.log" ||
    tail -n 1 "$logs/$1.log") (log: $logs/$1.log)"
  port_taken 127.0.0.1 "$port" || fail "The manager does not answer on port $port (log: $logs/$1.log)."
}

manager_up_or_gone() { port_taken 127.0.0.1 "$port" || part_gone "$1"; }

aspire_can_be_restored() {
  case ${UseAspire:-} in
    true) true ;;
    false) false ;;
    *) dotnet msbuild NewarBots.AppHost/NewarBots.AppHost.csproj -nologo -getProperty:AspireHostingSDKVersion >/dev/null 2>&1 ;;
  esac
}
