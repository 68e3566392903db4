#!/usr/bin/env bash
# Installs the Python packages of a Kaspr app before a member starts. Runs in the container `install-packages` as
# `bash -c SCRIPT install-packages OPTIONS -- PACKAGE…`; install.ts of this folder writes the options.
#
# Each set of packages has a directory of its own, built aside and renamed when complete: what is there is whole, and a
# running member never sees its files change. No text of a user reaches a shell again: packages are lines of a
# requirements file, index addresses are variables of pip. Both may hold secrets, so neither is written to a disk.
#
# Environment, all optional: INDEX_URL, EXTRA_INDEX_URLS and TRUSTED_HOSTS (comma-separated), PYPI_USERNAME,
# PYPI_PASSWORD, GCS_BUCKET, GCS_OBJECT_KEY, and what packages refer to as $NAME or ${NAME}.
set -euo pipefail
umask 022

directory='' set_name='' hash='' attempts='' timeout='' on_failure='' report=''
shared=false gcs_client='' gcs_key_file='' max_archive_bytes=0

while [[ $1 != -- ]]; do
  case $1 in
    --directory) directory=$2 ;;            # the packages volume
    --set) set_name=$2 ;;                   # directory of this set on it
    --hash) hash=$2 ;;                      # hash of the list of packages
    --attempts) attempts=$2 ;;              # how often pip is tried
    --timeout) timeout=$2 ;;                # seconds for one attempt
    --on-failure) on_failure=$2 ;;          # block, or allow the member to start without
    --report) report=$2 ;;                  # file that becomes the message of the container's status
    --shared) shared=$2 ;;                  # whether other pods install on the same volume
    --gcs-client) gcs_client=$2 ;;          # source of gcs.py
    --gcs-key-file) gcs_key_file=$2 ;;      # key of a service account
    --max-archive-bytes) max_archive_bytes=$2 ;;
    *) printf 'unknown option: %s\n' "$1" >&2 && exit 2 ;;
  esac
  shift 2
done
shift
packages=("$@")
target=$directory/$set_name
work=''
secrets=()

# Ends as the policy says: 1 keeps the member from starting, Kubernetes tries again later.
give_up() { # kind, message
  printf 'ERROR_TYPE: %s\nERROR_MSG: %s\n' "$1" "$2"
  printf '%s: %s' "$1" "$2" | head -c 2000 >"$report" || true
  [[ $on_failure == allow ]] && exit 0
  exit 1
}

# Replaces $NAME and ${NAME} by the values of these variables, once; the result is in REPLY.
expand() { # text
  local rest=$1 before after name
  REPLY=''
  while [[ $rest =~ ^([^$]*)\$(.*)$ ]]; do
    before=${BASH_REMATCH[1]} after=${BASH_REMATCH[2]}
    if [[ $after =~ ^\{([A-Za-z_][A-Za-z0-9_]*)\}(.*)$ || $after =~ ^([A-Za-z_][A-Za-z0-9_]*)(.*)$ ]]; then
      name=${BASH_REMATCH[1]} rest=${BASH_REMATCH[2]}
      [[ -n ${!name-} ]] || give_up configuration "variable $name is empty or not set"
      [[ ${!name} != *[[:space:]]* ]] || give_up configuration "variable $name holds blanks or line breaks"
      secrets+=("${!name}")
      REPLY+=$before${!name}
    else
      REPLY+=$before\$ rest=$after
    fi
  done
  REPLY+=$rest
}

# A user name or password as it may stand in an address; the result is in REPLY.
percent_encode() { # text
  local LC_ALL=C text=$1 index character code
  REPLY=''
  for ((index = 0; index < ${#text}; index++)); do
    character=${text:index:1}
    case $character in
      [A-Za-z0-9._~-]) REPLY+=$character ;;
      *)
        printf -v code '%%%02X' "'$character"
        # Bytes above 127 come out sign-extended.
        REPLY+=%${code: -2}
        ;;
    esac
  done
}

# The lines of pip's requirements file, in the array `lines`.
lines=()
read_packages() {
  local package
  for package in "${packages[@]}"; do
    expand "$package"
    case $REPLY in
      git@*:*) lines+=("git+ssh://${REPLY/:/\/}") ;;
      ssh://*) lines+=("git+$REPLY") ;;
      *) lines+=("$REPLY") ;;
    esac
  done
}

is_public() { # address
  [[ $1 =~ ^https?://([^/]*@)?pypi\.org(:[0-9]+)?(/|$) ]]
}

# Settings of pip, exported. The login goes into each address but that of the public index, unless it is the only one.
configure_pip() {
  local login='' address extra=() index=${INDEX_URL:-}
  if [[ -n ${PYPI_USERNAME:-} && -n ${PYPI_PASSWORD:-} ]]; then
    percent_encode "$PYPI_USERNAME"
    login=$REPLY
    percent_encode "$PYPI_PASSWORD"
    login+=:$REPLY
    secrets+=("$REPLY" "$PYPI_PASSWORD")
    [[ -n $index || -n ${EXTRA_INDEX_URLS:-} ]] || index=https://pypi.org/simple
  fi
  local only=false
  [[ -z ${EXTRA_INDEX_URLS:-} ]] && only=true
  if [[ -n $index ]]; then
    if [[ -n $login ]] && { [[ $only == true ]] || ! is_public "$index"; }; then
      index=${index/:\/\//:\/\/$login@}
    fi
    export PIP_INDEX_URL=$index
  fi
  if [[ -n ${EXTRA_INDEX_URLS:-} ]]; then
    local addresses
    IFS=, read -ra addresses <<<"$EXTRA_INDEX_URLS"
    for address in "${addresses[@]}"; do
      if [[ -n $login ]] && ! is_public "$address"; then address=${address/:\/\//:\/\/$login@}; fi
      extra+=("$address")
    done
    export PIP_EXTRA_INDEX_URL="${extra[*]}"
  fi
  if [[ -n ${TRUSTED_HOSTS:-} ]]; then export PIP_TRUSTED_HOST=${TRUSTED_HOSTS//,/ }; fi
  export PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1
}

# Copies its input with every secret blotted out. Shorter ones than 4 characters would only garble the text.
redact() {
  local line secret
  while IFS= read -r line || [[ -n $line ]]; do
    for secret in "${secrets[@]}"; do
      if ((${#secret} >= 4)); then line=${line//"$secret"/***}; fi
    done
    printf '%s\n' "$line"
  done
}

kind_of_failure() { # log
  if grep -qiE 'no matching distribution|could not find a version' "$1"; then
    echo package_not_found
  elif grep -qiE 'do not match the hashes|hash mismatch' "$1"; then
    echo hash_mismatch
  elif grep -qiE '\b40[13]\b|authentication|access denied' "$1"; then
    echo authentication
  elif grep -qiE 'ConnectionError|NewConnectionError|MaxRetryError|Name or service not known' "$1"; then
    echo network
  else
    echo unknown
  fi
}

install() { # number of the attempt
  rm -rf "$work/set"
  mkdir "$work/set"
  printf 'Attempt %s of %s\n' "$1" "$attempts"
  local status=0
  set +e
  timeout --kill-after=10 "$timeout" pip install --no-warn-script-location --target "$work/set" --no-cache-dir \
    --requirement <(printf '%s\n' "${lines[@]}") 2>&1 | redact | tee "$work/log"
  status=${PIPESTATUS[0]}
  set -e
  ((status != 0)) || return 0
  failure=$(kind_of_failure "$work/log")
  ((status != 124)) || failure=timeout
  message=$(grep -v '^[[:space:]]*$' "$work/log" | tail -n 1 || true)
  message="pip ended with ${status}${message:+: $message}"
  return 1
}

install_with_retries() {
  local attempt failure='' message=''
  for ((attempt = 1; attempt <= attempts; attempt++)); do
    if install "$attempt"; then return 0; fi
    ((attempt == attempts)) && give_up "$failure" "$message"
    printf 'ERROR_TYPE: %s\nERROR_MSG: %s\n' "$failure" "$message"
    sleep 5
  done
}

# What is installed, for the status. References to variables stay as they are. Packages hold no quotes or backslashes.
write_marker() {
  local list
  printf -v list '"%s", ' "${packages[@]}"
  printf '{"packages": [%s], "python_version": "%s", "install_time": "%s", "duration": "%ss", "pod_name": "%s"}\n' \
    "${list%, }" "$python" "$started" "$SECONDS" "${HOSTNAME:-}" >"$work/set/.installed-$hash"
}

# Puts the finished set in its place. One that is there was made for another Python: an image tag that has moved.
publish() {
  write_marker
  if [[ -e $target ]]; then mv -T "$target" "$work/replaced"; fi
  mv -T "$work/set" "$target"
}

# Sets that nobody has installed or used for a day are removed; until then pods of an older template may run on them.
retire_others() {
  local other
  rm -f "$target/.superseded"
  for other in "$directory"/????????????????-????????/; do
    other=${other%/}
    if [[ ! -d $other || $other == "$target" ]]; then continue; fi
    if [[ ! -e $other/.superseded ]]; then
      touch "$other/.superseded"
    elif [[ -n $(find "$other/.superseded" -mmin +1440) ]]; then
      rm -rf "$other"
    fi
  done
}

restore_from_bucket() {
  mkdir "$work/set"
  python3 -c "$gcs_client" download "$gcs_key_file" "$GCS_BUCKET" "$object" "$work/archive" &&
    tar --no-same-owner -xzf "$work/archive" -C "$work/set" &&
    rm -f "$work/archive"
}

save_to_bucket() {
  tar --exclude='./.installed-*' -czf "$work/archive" -C "$target" . || return 1
  local bytes
  bytes=$(stat -c %s "$work/archive")
  if ((bytes > max_archive_bytes)); then
    printf 'Not cached: the archive has %s bytes, accepted are %s\n' "$bytes" "$max_archive_bytes"
    return 0
  fi
  python3 -c "$gcs_client" upload "$gcs_key_file" "$GCS_BUCKET" "$object" "$work/archive"
}

# The message of a container has room for 4 KiB, so the packages, which the hook knows, are left out.
finish() { # what was done
  local marker
  printf '%s: %s\n' "$1" "$target"
  marker=$(<"$target/.installed-$hash") && printf '{%s' "${marker##*], }" >"$report" || true
  exit 0
}

started=$(date -u +%Y-%m-%dT%H:%M:%S.%6N+00:00)
printf 'Packages %s into %s, hash %s\n' "${packages[*]}" "$target" "$hash"
pip_version=$(pip --version 2>&1) || give_up unknown "pip does not run: $pip_version"
[[ $pip_version =~ \(python\ ([0-9]+\.[0-9]+)\) ]] || give_up unknown "no Python version in: $pip_version"
python=${BASH_REMATCH[1]}
mkdir -p "$directory"

if [[ $shared == true ]]; then
  exec 9>"$directory/.install.lock"
  # As long as another pod may take for all its attempts. The lock goes with its holder, so it is never stale.
  flock --exclusive --wait $((attempts * (timeout + 15) + 60)) 9 || give_up lock "another pod has not finished installing"
fi
# Whoever left these was killed: only the holder of the lock has one.
rm -rf "$directory"/.work-*
if grep -qF "\"python_version\": \"$python\"" "$target/.installed-$hash" 2>/dev/null; then
  retire_others
  finish 'Already installed'
fi
read_packages
configure_pip
work=$(mktemp -d "$directory/.work-XXXXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
# With a read-only root file system the volume is all there is to write to.
if [[ ! -w ${TMPDIR:-/tmp} ]]; then
  mkdir "$work/tmp"
  export TMPDIR=$work/tmp
fi
object=${GCS_OBJECT_KEY:-}
object=${object%.tar.gz}-py$python.tar.gz
if [[ -n $gcs_client ]] && restore_from_bucket; then
  publish
  finish 'Restored from the bucket'
fi
install_with_retries
publish
retire_others
if [[ -n $gcs_client ]] && ! save_to_bucket; then echo 'Not cached: the archive could not be made or uploaded'; fi
finish Installed
