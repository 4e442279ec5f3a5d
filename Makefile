# SPDX-License-Identifier: GPL-2.0-or-later
# The front door. Meson does the building; this gives it short names and the packages that it needs.
#
#   make            build/tare-oci, build/tare
#   make run        a first container, and what it sees
#   make test       every suite; the last line says how many passed, failed and were skipped
#   make test-long  the same with the long forms: minutes of fuzzing and of random commands, 5,000 failing rounds, 10,000 profiles, all guests
#   make test-clients  podman, docker and containerd with tare and with runc: every case
#   make test-vm    the guests: pure cgroup v2, systemd, other kernels (downloads about 1 GB the first time)
#   make bench      against floor programs, crun, runc, podman, umoci and skopeo; writes bench/RESULTS.md
#   make install    to PREFIX (/usr/local), below DESTDIR
#   make format     clang-format over the C files
#   make clean
#   make help       this list
BUILD ?= build
PREFIX ?= /usr/local
NINJA = ninja -C $(BUILD)

all: $(BUILD)/build.ninja
	@$(NINJA) --quiet

# `make run` and `make test` work on a fresh machine; a plain `make` installs nothing.
packages:
	@tools/packages

$(BUILD)/build.ninja:
	@meson setup $(BUILD) --prefix $(PREFIX) >/dev/null

run: packages
	@$(MAKE) --no-print-directory all
	@tools/demo $(BUILD)/tare-oci

test: packages
	@tests/run

test-long: packages
	@tests/run --long

test-clients: packages
	@tests/run --only "all clients"

test-vm: packages
	@tests/run --long --only guests

bench: packages
	@$(MAKE) --no-print-directory all
	@bench/run
	@bench/images

install: all
	@meson configure $(BUILD) --prefix $(abspath $(PREFIX))
	@DESTDIR=$(abspath $(DESTDIR)) meson install -C $(BUILD) --quiet

format:
	@git ls-files '*.c' '*.h' | xargs clang-format-14 -i

help:
	@sed -n 's/^#   //p' Makefile

clean:
	@rm -rf build build-*

.PHONY: all help packages run test test-long test-vm test-clients bench install format clean
