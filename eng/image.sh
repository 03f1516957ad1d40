# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR source=lib.sh
# How the recorder's and the manager's images are built: the program is published on this machine for the engine's architecture,
# Docker adds what it needs. An image carries a hash of all it was made from; where that agrees, nothing is done.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# start_image NAME PROJECT SCRIPT: ends the script where the image is up to date; else publishes the project to $context/app.
start_image() {
  image=$1
  local project=$2 script=$3 architecture runtime
  cd "$root" || exit
  architecture=$(docker version --format '{{.Server.Arch}}' 2>/dev/null) || fail "No Docker engine answers: $image cannot be built."
  case $architecture in
    amd64) runtime=linux-x64 ;;
    arm64) runtime=linux-arm64 ;;
    *) fail "$image is built for amd64 and arm64, not for $architecture." ;;
  esac

  sources=$({
    printf '%s\n' "$runtime"
    find "$project" NewarBots.ServiceDefaults Directory.Build.props Directory.Packages.props global.json eng/image.sh "$script" \
      \( -name bin -o -name obj \) -prune -o -type f -print0 | LC_ALL=C sort --zero-terminated | xargs --null sha256sum
  } | sha256sum | cut -c -64)
  if [[ $(docker image inspect --format '{{index .Config.Labels "newarbots.sources"}}' "$image" 2>/dev/null) == "$sources" ]]; then
    say "$image is up to date."
    exit
  fi

  eng/base-image

  # Outputs of its own: the restore for one runtime must not undo the one that the solution's build made, nor the other way round.
  local work=$state/${script##*/}
  context=$work/context
  rm -rf "$context"
  mkdir -p "$context"
  dotnet publish "$project" --artifacts-path "$work" --output "$context/app" --configuration Release --runtime "$runtime" \
    --self-contained --nologo --verbosity quiet \
    -p:PublishReadyToRun=true -p:DebugType=embedded -p:GenerateDocumentationFile=false -p:RunAnalyzers=false
  cp "$project/Dockerfile" "$context"
}

# finish_image: builds it from $context.
finish_image() {
  # Readable by whatever user the container gets.
  chmod --recursive u=rwX,go=rX "$context"
  local previous
  previous=$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)
  docker build --tag "$image" --label "newarbots.sources=$sources" "$context"
  # The image just replaced has no name left and only takes up space; containers that still run from it keep it.
  if [[ -n $previous && $(docker image inspect --format '{{len .RepoTags}}' "$previous") == 0 ]]; then
    docker image rm "$previous" >/dev/null 2>&1 || true
  fi
}
