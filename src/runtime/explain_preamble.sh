# SPDX-License-Identifier: GPL-2.0-or-later
# The beginning of every script of `explain --format sh`; what is above the first empty line is not part of it. The build
# makes a string of it (src/runtime/meson.build) for explain_sh.c.

set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "this script must be run by root" >&2; exit 1; }

run=$(mktemp -d /run/explain.XXXXXX) made=()
cleanup() {
	set +e
	[ -z "${container-}" ] || { kill -KILL "$container"; wait "$container"; } 2>/dev/null
	for dir in "${made[@]}"; do
		for try in 1 2 3 4 5; do rmdir "$dir" 2>/dev/null && break; sleep 0.1; done
	done
	umount -l "$run" && rmdir "$run"
}
trap cleanup EXIT
trap 'exit 143' TERM INT

# Things in the making, on a filesystem that dies with this script.
mount -t tmpfs -o mode=0711 tmpfs "$run"
mount --make-private "$run"
state=$run/state
mkdir "$run/new" # for a filesystem that will be moved to its place

# What has to run when the host's tree is out of sight, with the libraries that it needs.
keep() {
	local name path
	mkdir "$run/tools"
	for name; do
		path=$(type -P "$name")
		# shellcheck disable=SC2046 # the libraries are words of their own
		cp -L "$path" $(ldd "$path" | grep -o '/[^ ]*') "$run/tools/"
	done
	mv "$run"/tools/ld-* "$run/tools/ld.so"
}
keep chroot env mount setarch setpriv timeout

# Hand-overs: a word a line, from the one to the other.
tell() { echo "$1" >&"$to"; }
hear() { read -r heard <&"$from" && [ "$heard" = "$1" ]; }

# A cgroup: make_cgroup PATH CONTROLLERS FILES VALUES. On cgroup2 each directory above it gives it the controllers; a cpuset
# is born empty and takes FILES from the one above; each new one gets VALUES (FILE=VALUE). What is made is removed at the end.
make_cgroup() {
	local file
	[ ! -d "$1" ] || return 0
	make_cgroup "${1%/*}" "$2" "$3" "$4"
	[ -z "$2" ] || echo "$2" >"${1%/*}/cgroup.subtree_control"
	mkdir "$1"
	made=("$1" "${made[@]}")
	for file in $3; do cat "${1%/*}/$file" >"$1/$file"; done
	for file in $4; do echo "${file#*=}" >"$1/${file%%=*}"; done
}

# A source, taken while the host's tree is there: source_ NUMBER PATH bind|rbind
source_() {
	if [ -d "$2" ]; then mkdir "$run/source-$1"; else touch "$run/source-$1"; fi
	mount "--$3" "$2" "$run/source-$1"
}

# A place to mount on, made if it is missing: point PATH dir|file. Names may not lead out of the root; tare resolves them
# inside it (openat2), which a shell can't, so here they are refused.
point() {
	local path
	path=$(realpath -m -- "$root$1")
	case $path/ in
	"$(realpath -- "$root")"/*) ;;
	*) echo "$1 leads out of the root" >&2; return 1 ;;
	esac
	[ ! -e "$path" ] || return 0
	if [ "$2" = dir ]; then
		mkdir -p "$path"
	else
		mkdir -p "${path%/*}"
		install -m 0755 /dev/null "$path"
	fi
}

# Hide a path: mask PATH DIRECTORY FILE, behind the one that is of its kind.
mask() {
	if [ -d "$1" ]; then
		mount --bind "$2" "$1"
	elif [ -e "$1" ]; then
		mount --bind "$3" "$1"
	fi
}
