# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR source=machine.sh
# Starts the AppHost, or without Aspire its services one by one: Redis, the dashboard, the manager.
source "$(dirname "${BASH_SOURCE[0]}")/machine.sh"

# Prints the manager's port. The AppHost ignores ASPNETCORE_URLS.
manager_port() {
  if [[ $UseAspire != true && -n ${ASPNETCORE_URLS:-} ]]; then
    [[ $ASPNETCORE_URLS =~ :([0-9]+)(/|;|$) ]] || fail "ASPNETCORE_URLS=$ASPNETCORE_URLS contains no port."
    printf '%s\n' "${BASH_REMATCH[1]}"
  else
    echo 8082
  fi
}

# Prints the address at which this machine reaches the manager: of its first URL, and 127.0.0.1 if that names all addresses.
manager_host() {
  local url=${ASPNETCORE_URLS:-} host
  [[ $UseAspire != true && $url =~ ^[a-z]+://(\[[^]]*\]|[^/:\;]*) ]] || {
    echo 127.0.0.1
    return
  }
  host=${BASH_REMATCH[1]}
  host=${host#[}
  host=${host%]}
  case ${host,,} in
    localhost | '*' | '+' | 0.0.0.0 | ::) echo 127.0.0.1 ;;
    *) printf '%s\n' "$host" ;;
  esac
}

# free_port FIRST: prints the first free port from FIRST on.
free_port() {
  local port=$1
  while port_taken 127.0.0.1 "$port" || { [[ -n $gateway ]] && port_taken "$gateway" "$port"; }; do
    port=$((port + 1))
  done
  printf '%s\n' "$port"
}

# Starts Redis and sets redis_connection. It listens on loopback and on the Docker bridge for the bots' containers, and requires a password that
# is generated once.
start_redis() {
  local home=$state/redis password port
  mkdir -p "$home"
  chmod 700 "$home"
  [[ -s $home/password ]] || (umask 077 && od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$home/password")
  password=$(<"$home/password")
  port=$(free_port 6379)
  (umask 077 && cat >"$home/redis.conf") <<CONF
bind 127.0.0.1
port $port
requirepass $password
dir "$home"
appendonly yes
maxmemory 1gb
maxmemory-policy noeviction
proto-max-bulk-len 1mb
client-query-buffer-limit 2mb
maxmemory-clients 64mb
acllog-max-len 0
CONF
  say "Starting Redis on port $port"
  start_service redis redis-server "$home/redis.conf"
  REDISCLI_AUTH=$password wait_until 30 redis_responds_or_stopped "$port"
  service_pid redis >/dev/null || fail "Redis failed to start: $(tail -n 1 "$logs/redis.log") (log: $logs/redis.log)"
  redis_connection="127.0.0.1:$port,password=$password"
}

redis_responds_or_stopped() { [[ $(redis-cli -p "$1" ping 2>/dev/null) == PONG ]] || service_stopped redis; }

# Starts the Aspire dashboard and sets dashboard and otlp. Skipped if npm is missing, which installs it.
start_dashboard() {
  local grpc http ui
  if ! aspire_installed && ! have npm; then
    say "Skipping the Aspire dashboard: it needs npm, which is not installed."
    return
  fi
  ensure_aspire
  ui=$(free_port 18888)
  grpc=$(free_port 4317)
  http=$(free_port $((grpc + 1)))
  dashboard=http://localhost:$ui
  # Bots export telemetry too, so it listens on an address that both they and this machine can reach.
  otlp=http://${gateway:-127.0.0.1}:$grpc
  say "Starting the Aspire dashboard"
  # ASPNETCORE_URLS is for the manager; the dashboard would listen on it too.
  start_service dashboard env --unset=ASPNETCORE_URLS "$root/eng/aspire-dashboard" \
    --frontend-url "http://127.0.0.1:$ui" --otlp-grpc-url "$otlp" --otlp-http-url "http://127.0.0.1:$http"
}

# The manager inherits the whole environment of `run`; variables set there override these defaults.
start_manager() {
  local settings=(
    "ASPNETCORE_ENVIRONMENT=${ASPNETCORE_ENVIRONMENT:-Development}"
    "ASPNETCORE_URLS=${ASPNETCORE_URLS:-http://127.0.0.1:8082}"
    "ConnectionStrings__redis=${ConnectionStrings__redis:-$redis_connection}"
    "OTEL_EXPORTER_OTLP_ENDPOINT=${OTEL_EXPORTER_OTLP_ENDPOINT:-$otlp}"
  )
  say "Starting the manager"
  start_service manager env --chdir="$root/NewarBots.Manager" "${settings[@]}" dotnet bin/Release/net10.0/NewarBots.Manager.dll
  wait_for_manager manager 300
}

# Starts Redis, the manager and the dashboard through the AppHost, which also builds the recorder image.
start_apphost() {
  step "Building the AppHost" dotnet build NewarBots.AppHost -nologo -verbosity:minimal
  # shellcheck disable=SC2034 # read by `run`
  dashboard=http://localhost:18888
  say "Starting the AppHost"
  start_service apphost env --unset=ASPNETCORE_URLS ASPIRE_DASHBOARD_UNSECURED_ALLOW_ANONYMOUS=true \
    dotnet run --project NewarBots.AppHost --no-build
  # Includes building the recorder image.
  wait_for_manager apphost 1200
}

# wait_for_manager SERVICE SECONDS: waits until the manager listens; fails if SERVICE exits first.
wait_for_manager() {
  wait_until "$2" manager_listens_or_stopped "$1" || true
  service_pid "$1" >/dev/null || fail "The $1 failed to start: $(grep --max-count=1 --ignore-case exception "$logs/$1.log" ||
    tail -n 1 "$logs/$1.log") (log: $logs/$1.log)"
  port_taken "$host" "$port" || fail "The manager does not respond on port $port (log: $logs/$1.log)."
}

manager_listens_or_stopped() { port_taken "$host" "$port" || service_stopped "$1"; }

aspire_available() {
  case ${UseAspire:-} in
    true) true ;;
    false) false ;;
    *) dotnet msbuild NewarBots.AppHost/NewarBots.AppHost.csproj -nologo -getProperty:AspireHostingSDKVersion >/dev/null 2>&1 ;;
  esac
}
