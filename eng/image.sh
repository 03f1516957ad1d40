# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR source=lib.sh
# Builds the recorder and manager images: publishes the program on this machine for the engine's architecture, then runs docker build.
# A label holds a hash of all sources; if it matches, the image is up to date.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# start_image NAME PROJECT SCRIPT: exits if the image is up to date, else publishes the project to $context/app.
start_image() {
  image=$1
  local project=$2 script=$3 architecture runtime
  cd "$root" || exit
  architecture=$(engine_architecture)
  case $architecture in
    amd64) runtime=linux-x64 ;;
    arm64) runtime=linux-arm64 ;;
    *) fail "Cannot build $image for $architecture: only amd64 and arm64 are supported." ;;
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

  # A separate output folder, so that this restore for one runtime and the solution's restore do not overwrite each other.
  local work=$state/${script##*/}
  context=$work/context
  rm -rf "$context"
  mkdir -p "$context"
  dotnet publish "$project" --artifacts-path "$work" --output "$context/app" --configuration Release --runtime "$runtime" \
    --self-contained --nologo --verbosity quiet \
    -p:PublishReadyToRun=true -p:DebugType=embedded -p:GenerateDocumentationFile=false -p:RunAnalyzers=false
  cp "$project/Dockerfile" "$context"
}

# finish_image: builds the image from $context.
finish_image() {
  # The container may run as any user.
  chmod --recursive u=rwX,go=rX "$context"
  local previous
  previous=$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null || true)
  docker build --tag "$image" --label "newarbots.sources=$sources" "$context"
  # Free the space of the image just replaced. Docker keeps it while containers still use it.
  if [[ -n $previous && $(docker image inspect --format '{{len .RepoTags}}' "$previous") == 0 ]]; then
    docker image rm "$previous" >/dev/null 2>&1 || true
  fi
}
