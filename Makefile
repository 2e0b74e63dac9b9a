# layerd's build. `make help` lists what there is.
# SPDX-License-Identifier: MIT

BUILD ?= release
OUT := build/$(BUILD)
VERSION := 0.1.0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash

# ---- Tools and flags -------------------------------------------------------------------------

CC = gcc
CXX = g++
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Werror
C_WARNINGS := $(WARNINGS) -Wstrict-prototypes -Wmissing-prototypes
ARCH := $(shell $(CC) -print-multiarch 2>/dev/null)

# What an attacker who found a mistake would have to get past; tests/install/hardening_test.sh holds what is built to it.
HARDENING_x86_64-linux-gnu := -fcf-protection=full
HARDENING_aarch64-linux-gnu := -mbranch-protection=standard
HARDENING := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection $(HARDENING_$(ARCH))
HARDENED_LINK := -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code

MODE_release := -O3 -g1 -DNDEBUG $(HARDENING)
MODE_debug := -O0 -g3
MODE_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
MODE_tsan := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
# `make coverage` alone builds this one.
MODE_coverage := -O1 -g -DNDEBUG --coverage -DCOVERAGE
# `make fuzz` alone builds this one, with clang.
MODE_fuzz := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all
MODE := $(or $(MODE_$(BUILD)),$(error BUILD is one of release, debug, asan, tsan))

CFLAGS += -std=c17 -D_GNU_SOURCE -DLAYERD_VERSION='"$(VERSION)"' $(MODE) -pthread
CXXFLAGS += -std=c++17 $(MODE) -fno-exceptions -fno-rtti
LDFLAGS += $(MODE) -pthread -pie $(HARDENED_LINK) -static-libgcc -static-libstdc++

# OpenBLAS, linked statically into programs and liblayer.so, so that the daemon starts fast and its image
# needs no libraries of it. The executor is the only parallelism, but Debian's build without threads will not do: it hands one
# buffer to two callers at a time (tests/unit/blas_test.c). So it is the build with threads, told to have none:
# what asks the environment for their number is replaced by its function that returns 1.

# OpenBLAS's x86-64 archive has all kernels once for each of 20 kinds of cores, 24 MB, and chooses by CPUID.
# Kinds on the left run the right one's here: it is the same but for the name (COOPERLAKE, ZEN), or needs no
# instruction that the left one's cores lack (the others: AMD's FMA4 of 2011 to 2016, and SSE3 before that).
# The daemon shrinks by 15 MB. With BLAS_LIBS set, or on other processors, nothing of this happens.
CORES_x86_64-linux-gnu := COOPERLAKE=SKYLAKEX ZEN=HASWELL PILEDRIVER=BULLDOZER STEAMROLLER=BULLDOZER \
    EXCAVATOR=BULLDOZER CORE2=PRESCOTT PENRYN=PRESCOTT DUNNINGTON=PRESCOTT ATOM=PRESCOTT \
    NANO=PRESCOTT OPTERON_SSE3=PRESCOTT BARCELONA=PRESCOTT BOBCAT=PRESCOTT
CORES := $(subst =,=gotoblas_,$(CORES_$(ARCH)))
BLAS_CORES := $(CORES:%=-Wl,--defsym=gotoblas_%)
BLAS_CFLAGS ?= -I/usr/include/$(ARCH)/openblas-pthread
# lib/core/blas_core.c says why the choice of a core is wrapped.
BLAS_LIBS ?= -Wl,--defsym=openblas_num_threads_env=openblas_get_parallel \
    -Wl,--wrap=gotoblas_dynamic_init -Wl,--undefined=__wrap_gotoblas_dynamic_init \
    $(BLAS_CORES) /usr/lib/$(ARCH)/openblas-pthread/libopenblas.a
HTTP_LIBS ?= -lmicrohttpd -lgnutls
JSON_LIBS ?= -lcjson

# Sources in a folder `kernels` are compiled once for each instruction set (lib/core/kernels.h), with products and sums
# fused where it can.
ISAS_x86_64-linux-gnu := avx2 avx512
ISAS := baseline $(ISAS_$(ARCH))
ISA_avx2 := -march=x86-64-v3
ISA_avx512 := -march=x86-64-v4 -mprefer-vector-width=512
KERNEL_CFLAGS = -ffp-contract=fast -DLAYER_ISA=$(1) $(ISA_$(1)) $(KERNEL_$(BUILD))
# Unrolled loops with every check inline take clang many minutes.
KERNEL_fuzz := -fsanitize-address-outline-instrumentation -fno-sanitize=undefined

# ---- The parts: each sees only what it may ---------------------------------------------------

LIB_INCLUDES := -Ilib/include -Ilib $(BLAS_CFLAGS)
API_INCLUDES := -Iapi/include -Iapi -Ilib/include
SERVER_INCLUDES := -Iserver -Iapi/include
TEST_INCLUDES := -Itests $(API_INCLUDES) -Ilib

LIB_SOURCES := $(wildcard lib/*/*.c)
KERNEL_SOURCES := $(wildcard lib/*/kernels/*.c)
LIB_HEADERS := $(wildcard lib/include/layer/*.h)
API_SOURCES := $(wildcard api/*.c api/operations/*.c api/*.cc)
SERVER_SOURCES := $(wildcard server/*.c)
SUPPORT_SOURCES := $(wildcard tests/oracle/*.c tests/support/*.c)
TEST_SOURCES := $(wildcard $(patsubst %,tests/%/*.c,property soak cluster integration unit))
CONFORMANCE_SOURCES := $(wildcard tests/conformance/*_test.c)
FUZZ_SOURCES := $(wildcard tests/fuzz/*_fuzz.c)
BENCH_SOURCES := $(wildcard tests/bench/*.c)
PEER_SOURCES := $(addprefix tests/bench/peers/,peer.c layer_peer.c empty_server.c)
PRELOAD_SOURCES := $(wildcard tests/preload/*.c)

# The pages' commands take port 8080, and the OpenAPI document's linter comes from npm: targets of their own.
TEST_SCRIPTS := $(filter-out tests/readme/%,$(wildcard tests/*/*_test.sh))
BENCH_SCRIPTS := $(wildcard tests/bench/*.sh)

objects = $(patsubst %,$(OUT)/%.o,$(1))
programs = $(patsubst %.c,$(OUT)/%,$(1))

LIB_OBJECTS := $(call objects,$(LIB_SOURCES)) \
    $(foreach isa,$(ISAS),$(patsubst %,$(OUT)/%.$(isa).o,$(KERNEL_SOURCES)))
API_OBJECTS := $(call objects,$(API_SOURCES))
SERVER_OBJECTS := $(call objects,$(SERVER_SOURCES))
SUPPORT_OBJECTS := $(call objects,$(SUPPORT_SOURCES))
ALL_OBJECTS := $(LIB_OBJECTS) $(API_OBJECTS) $(SERVER_OBJECTS) $(SUPPORT_OBJECTS) \
    $(call objects,$(wildcard tests/fuzz/*.c) $(TEST_SOURCES) $(CONFORMANCE_SOURCES) $(BENCH_SOURCES) $(PEER_SOURCES))

TESTS := $(call programs,$(TEST_SOURCES) $(FUZZ_SOURCES))
CONFORMANCE := $(call programs,$(CONFORMANCE_SOURCES))
HTTP_TESTS := $(filter $(OUT)/tests/integration/%,$(TESTS)) $(CONFORMANCE)
BENCHES := $(call programs,$(BENCH_SOURCES))
FUZZERS := $(call programs,$(FUZZ_SOURCES))
PRELOADS := $(patsubst %.c,$(OUT)/%.so,$(PRELOAD_SOURCES))

# The library's objects are for programs and for liblayer.so; all others are for programs.
POSITION = -fPIE
$(LIB_OBJECTS): POSITION := -fPIC
$(LIB_OBJECTS): INCLUDES := $(LIB_INCLUDES)
$(API_OBJECTS): INCLUDES := $(API_INCLUDES)
$(SERVER_OBJECTS): INCLUDES := $(SERVER_INCLUDES)
$(OUT)/tests/%.o: INCLUDES := $(TEST_INCLUDES)

# ---- What is built ---------------------------------------------------------------------------

##all: the daemon and the library (BUILD=release|debug|asan|tsan; under build/BUILD)
.PHONY: all
all: $(OUT)/layerd $(OUT)/liblayer.so

# Objects follow their flags: this file changes when those do.
export FLAGS_TEXT := $(CC) $(CXX) $(CFLAGS) $(CXXFLAGS) $(WARNINGS) $(BLAS_CFLAGS)
.PHONY: always
$(OUT)/flags: always
	@mkdir -p $(@D)
	@cmp -s $@ - <<<"$$FLAGS_TEXT" || cat >$@ <<<"$$FLAGS_TEXT"

$(OUT)/%.c.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(POSITION) $(C_WARNINGS) $(INCLUDES) -MMD -MP -c -o $@ $<

define kernel_rule
$(OUT)/%.c.$(1).o: %.c $(OUT)/flags
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(POSITION) $$(C_WARNINGS) $$(INCLUDES) $$(call KERNEL_CFLAGS,$(1)) -MMD -MP -c -o $$@ $$<
endef
$(foreach isa,$(ISAS),$(eval $(call kernel_rule,$(isa))))

$(OUT)/%.cc.o: %.cc $(OUT)/flags
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(POSITION) $(WARNINGS) $(INCLUDES) -MMD -MP -c -o $@ $<

$(OUT)/liblayer.a: $(LIB_OBJECTS)
$(OUT)/libapi.a: $(API_OBJECTS)
$(OUT)/libsupport.a: $(SUPPORT_OBJECTS)
$(OUT)/%.a:
	@rm -f $@
	$(AR) rcs $@ $^

# The shared library shows the functions that the headers declare; nothing else, and nothing of OpenBLAS.
LIB_SONAME := liblayer.so.$(firstword $(subst ., ,$(VERSION)))

$(OUT)/liblayer.map: $(LIB_HEADERS)
	@mkdir -p $(@D)
	@{ echo '{ global:'; sed -n '/typedef/!s/.*\b\(layer_[a-z0-9_]*\)(.*/\1;/p' $^ | sort -u; echo 'local: *; };'; } >$@

$(OUT)/liblayer.so: $(LIB_OBJECTS) $(OUT)/liblayer.map
	$(CC) $(MODE) -shared -Wl,-soname,$(LIB_SONAME) -Wl,--version-script=$(OUT)/liblayer.map $(HARDENED_LINK) \
	    -o $@ $(LIB_OBJECTS) $(BLAS_LIBS) -lm

$(OUT)/layerd: $(SERVER_OBJECTS) $(OUT)/libapi.a $(OUT)/liblayer.a
	$(CXX) $(LDFLAGS) -o $@ $^ $(HTTP_LIBS) $(JSON_LIBS) $(BLAS_LIBS) -lm

PROGRAM_LIBS := $(OUT)/libsupport.a $(OUT)/libapi.a $(OUT)/liblayer.a
$(call programs,$(TEST_SOURCES)) $(CONFORMANCE) $(BENCHES): $(OUT)/%: $(OUT)/%.c.o $(PROGRAM_LIBS)
	$(CXX) $(LDFLAGS) -o $@ $^ -lcmocka -lcurl $(TEST_LIBS) $(HTTP_LIBS) $(JSON_LIBS) $(BLAS_LIBS) -lm

$(OUT)/tests/unit/workers_test.c.o: INCLUDES := $(TEST_INCLUDES) -Iserver
$(OUT)/tests/unit/workers_test: $(OUT)/server/workers.c.o

# Fuzzers' targets: under BUILD=fuzz with libFuzzer, else with a main() that feeds them files. One drives the server, all
# of it but main().
FUZZ_MAIN := $(if $(filter fuzz,$(BUILD)),,$(OUT)/tests/fuzz/replay.c.o)
FUZZ_COMMON := $(call objects,$(filter-out %_fuzz.c %/replay.c %/seeds.c,$(wildcard tests/fuzz/*.c)))

$(OUT)/tests/fuzz/http_fuzz.c.o: INCLUDES := $(TEST_INCLUDES) -Iserver
$(OUT)/tests/fuzz/http_fuzz: $(filter-out %/main.c.o,$(SERVER_OBJECTS))
$(OUT)/libfuzz.a: $(FUZZ_COMMON)
$(FUZZERS): $(OUT)/%: $(OUT)/%.c.o $(FUZZ_MAIN) $(OUT)/libfuzz.a $(PROGRAM_LIBS)
	$(CXX) $(LDFLAGS) $(if $(FUZZ_MAIN),,-fsanitize=fuzzer) -o $@ $(filter-out %.a,$^) $(OUT)/libfuzz.a $(PROGRAM_LIBS) \
	    $(HTTP_LIBS) $(JSON_LIBS) $(BLAS_LIBS) -lm

$(OUT)/tests/fuzz/seeds: %: %.c.o $(PROGRAM_LIBS)
	$(CXX) $(LDFLAGS) -o $@ $^ -lcmocka -lcurl $(HTTP_LIBS) $(JSON_LIBS) $(BLAS_LIBS) -lm

# The conformance tests read ONNX's files with what protoc-c makes of ONNX's own description.
ONNX_PROTO ?= /usr/include/onnx/onnx.proto
ONNX_OBJECTS := $(call objects,$(filter-out %_test.c,$(wildcard tests/conformance/*.c)))
ALL_OBJECTS += $(ONNX_OBJECTS) $(OUT)/generated/onnx.pb-c.c.o

$(OUT)/generated/onnx.pb-c.c: $(ONNX_PROTO)
	@mkdir -p $(@D)
	protoc-c -I$(<D) --c_out=$(@D) $(<F)

$(OUT)/generated/onnx.pb-c.c.o: $(OUT)/generated/onnx.pb-c.c
	$(CC) $(CFLAGS) $(POSITION) -c -o $@ $<

$(ONNX_OBJECTS): INCLUDES := $(TEST_INCLUDES) -I$(OUT)/generated
$(ONNX_OBJECTS): | $(OUT)/generated/onnx.pb-c.c
$(CONFORMANCE): $(ONNX_OBJECTS) $(OUT)/generated/onnx.pb-c.c.o
$(CONFORMANCE): TEST_LIBS := -lprotobuf-c

# What `make bench-layers` compares: processes that speak tests/bench/peers/peer.h. oneDNN's is built if it is here.
ORT_VERSION := 1.30.0
PEERS := $(OUT)/tests/bench/peers/layer_peer \
    $(if $(wildcard /usr/include/oneapi/dnnl/dnnl.h),$(OUT)/tests/bench/peers/dnnl_peer)

$(OUT)/tests/bench/peers/%.o: INCLUDES := $(API_INCLUDES) -Iserver
$(PEERS): %: %.c.o $(OUT)/tests/bench/peers/peer.c.o
	$(CXX) $(LDFLAGS) -o $@ $^ $(PEER_LIBS)
$(OUT)/tests/bench/peers/layer_peer: $(OUT)/server/workers.c.o $(OUT)/liblayer.a
$(OUT)/tests/bench/peers/layer_peer: PEER_LIBS := $(BLAS_LIBS) -lm
$(OUT)/tests/bench/peers/dnnl_peer: PEER_LIBS := -ldnnl

EMPTY_SERVER := $(OUT)/tests/bench/peers/empty_server
$(EMPTY_SERVER): %: %.c.o
	$(CC) $(LDFLAGS) -o $@ $< $(HTTP_LIBS)

$(OUT)/tests/preload/memory_fails.so: tests/preload/memory_fails.h
$(PRELOADS): $(OUT)/%.so: %.c
	@mkdir -p $(@D)
	$(CC) -std=c17 -D_GNU_SOURCE -O1 -g -fPIC -shared $(C_WARNINGS) -o $@ $< -ldl

-include $(ALL_OBJECTS:.o=.d)

# ---- What is run -----------------------------------------------------------------------------

##run: install what is missing, build, start the daemon on 127.0.0.1:8080
.PHONY: run
run:
	@.ci/install build run
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(OUT)/layerd
	@exec $(OUT)/layerd $(ARGS)

##test: install what is missing, build, and pass every test
.PHONY: test
test:
	@.ci/install build test cluster
	@$(MAKE) --no-print-directory -s -j$$(nproc) all tests
	@$(MAKE) --no-print-directory -s layers
	@OUT=$(OUT) tests/run $(TEST_SCRIPTS) $(CONFORMANCE) $(TESTS) # the longest first

##layers: hold lib/, api/ and server/ to the law of layers
.PHONY: layers
layers: $(LIB_OBJECTS) $(API_OBJECTS) $(SERVER_OBJECTS)
	@OUT=$(OUT) tests/layers

.PHONY: tests
tests: $(OUT)/layerd $(TESTS) $(CONFORMANCE) $(PRELOADS)

##test-http: those tests that speak HTTP, with a daemon of their own or the one at LAYERD_URL
.PHONY: test-http
test-http: http-tests
	@OUT=$(OUT) tests/run $(HTTP_TESTS)

.PHONY: http-tests
http-tests: $(OUT)/layerd $(HTTP_TESTS) $(PRELOADS)

##test-docker: the images; the tests that speak HTTP, in a container, against the daemon's container
.PHONY: test-docker
test-docker:
	@docker/test

##test-readme: the commands of README and all other pages, in a copy of this folder; takes port 8080
.PHONY: test-readme
test-readme:
	@.ci/install build test
	@tests/run tests/readme/readme_test.sh

##test-openapi: lint the OpenAPI document; hold every case's request and reply to it
.PHONY: test-openapi
test-openapi:
	@{ command -v node && command -v npm; } >/dev/null || .ci/install openapi
	@.ci/install build
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(OUT)/layerd
	@OUT=$(OUT) tests/openapi/openapi_check.sh

##test-json: hold the JSON reader to JSONTestSuite (from npm)
.PHONY: test-json
test-json:
	@{ command -v node && command -v npm; } >/dev/null || .ci/install openapi
	@.ci/install build test
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(OUT)/tests/unit/grammar_test
	@OUT=$(OUT) tests/json/json_check.sh

##test-deployment: hold Kubernetes' manifests, the alerts and the dashboard to their schemas and grammars (from npm)
.PHONY: test-deployment
test-deployment:
	@{ command -v node && command -v npm; } >/dev/null || .ci/install openapi
	@tests/deployment/deployment_check.sh

##test-torch: random geometries of every operation against PyTorch (1 GB of packages); ARGS="--trials N --seed N"
.PHONY: test-torch
test-torch:
	@.ci/install build torch
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(OUT)/layerd
	@OUT=$(OUT) tests/with-daemon /usr/bin/python3 -B tests/differential/torch_differential.py $(ARGS)

##fuzz: fuzzers of the service without a network, its JSON, its binary framing, HTTP; ARGS="--seconds 60 --runs N http"
.PHONY: fuzz
fuzz:
	@.ci/install build test fuzz
	@$(MAKE) --no-print-directory -s -j$$(nproc) BUILD=fuzz CC=clang CXX=clang++ fuzzers
	@OUT=build/fuzz tests/fuzz/fuzz.sh $(ARGS)

.PHONY: fuzzers
fuzzers: $(FUZZERS) $(OUT)/tests/fuzz/seeds

##soak: faults and load for as long as it takes (ten minutes), with a table of figures; ARGS="overload_soak cluster"
.PHONY: soak
soak:
	@.ci/install build test cluster
	@$(MAKE) --no-print-directory -s -j$$(nproc) tests
	@OUT=$(OUT) tests/soak/soak.sh $(ARGS)

##sanitize: the tests under the address, undefined behaviour and thread sanitizers
.PHONY: sanitize
sanitize:
	@$(MAKE) --no-print-directory test BUILD=asan
	@$(MAKE) --no-print-directory test BUILD=tsan

##coverage: the tests, and which lines they run (the page: build/coverage/report/index.html); fails below 90 % of them
.PHONY: coverage
coverage:
	@.ci/install coverage
	@find build/coverage -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) --no-print-directory test BUILD=coverage
	@lcov --quiet --capture --no-external --base-directory . --output-file build/coverage/lines.info \
	    $(addprefix --directory build/coverage/,lib api server) 2>/dev/null
	@genhtml --quiet --output-directory build/coverage/report build/coverage/lines.info
	@lcov --summary build/coverage/lines.info --fail-under-lines 90

##bench: every benchmark, beside its peers
.PHONY: bench
bench:
	@.ci/install build bench
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(OUT)/layerd $(BENCHES)
	@set -e; for program in $(BENCHES) $(BENCH_SCRIPTS); do echo "$$program"; OUT=$(OUT) $$program; echo; done
	@$(MAKE) --no-print-directory bench-layers bench-service ARGS=

##bench-layers: layers through the library and its peers; ARGS="--rows rn50 --contenders layer,dnnl --seconds 0.2"
.PHONY: bench-layers
bench-layers:
	@.ci/install build bench
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(PEERS)
	@OUT=$(OUT) /usr/bin/python3 -B tests/bench/layer_bench.py $(ARGS)

##bench-service: load the daemon and its peers on loopback; ARGS="--cases 28 --peers node"
.PHONY: bench-service
bench-service:
	@.ci/install build bench
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(OUT)/layerd $(EMPTY_SERVER)
	@OUT=$(OUT) /usr/bin/python3 -B tests/bench/service_bench.py $(ARGS)

##bench-peers: install what `make bench-layers` and `make bench-service` compare with (1.5 GB of packages)
.PHONY: bench-peers
bench-peers:
	@.ci/install bench-peers
	@{ command -v node && command -v npm; } >/dev/null || .ci/install openapi
	npm install --prefix build/peers --ignore-scripts --no-audit --no-fund onnxruntime-node@$(ORT_VERSION)

##footprint: idle memory, time from start to first answer, sizes of the binary and the image
.PHONY: footprint
footprint:
	@.ci/install build bench
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(OUT)/layerd
	@OUT=$(OUT) tests/bench/footprint.sh

# ---- What is installed -----------------------------------------------------------------------

under_prefix = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))

# The daemon describes itself, so these texts cannot say otherwise.
$(OUT)/layerd.8: $(OUT)/layerd
	$< --print-man >$@

$(OUT)/layerd.bash: $(OUT)/layerd
	$< --print-completion >$@

MAN_PAGE = $(DATADIR)/man/man8/layerd.8
COMPLETION = $(DATADIR)/bash-completion/completions/layerd

##install: the daemon with its manual and systemd units, the library, its headers and layer.pc; heeds DESTDIR, PREFIX, BINDIR, LIBDIR, INCLUDEDIR, DATADIR, UNITDIR
.PHONY: install
install: install-daemon install-library

.PHONY: install-daemon
install-daemon: $(addprefix $(OUT)/layerd,.8 .bash)
	install -D -t $(DESTDIR)$(BINDIR) $(OUT)/layerd
	install -D -m 644 $(OUT)/layerd.8 $(DESTDIR)$(MAN_PAGE)
	install -D -m 644 $(OUT)/layerd.bash $(DESTDIR)$(COMPLETION)
	install -D -m 644 -t $(DESTDIR)$(UNITDIR) docker/systemd/layerd.socket
	sed 's|@BINDIR@|$(BINDIR)|' docker/systemd/layerd.service.in >$(DESTDIR)$(UNITDIR)/layerd.service
	install -D -m 644 docker/systemd/layerd.sysusers $(DESTDIR)$(SYSUSERSDIR)/layerd.conf

.PHONY: install-library
install-library: $(OUT)/liblayer.so $(OUT)/liblayer.a
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/layer
	install -m 644 $(LIB_HEADERS) $(DESTDIR)$(INCLUDEDIR)/layer
	install -m 644 $(OUT)/liblayer.a $(DESTDIR)$(LIBDIR)
	install -m 644 $(OUT)/liblayer.so $(DESTDIR)$(LIBDIR)/liblayer.so.$(VERSION)
	ln -sf liblayer.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(LIB_SONAME)
	ln -sf $(LIB_SONAME) $(DESTDIR)$(LIBDIR)/liblayer.so
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@LIBDIR@|$(call under_prefix,$(LIBDIR))|' \
	    -e 's|@INCLUDEDIR@|$(call under_prefix,$(INCLUDEDIR))|; s|@BLAS@|$(filter-out $(BLAS_CORES),$(BLAS_LIBS))|' \
	    lib/layer.pc.in >$(DESTDIR)$(LIBDIR)/pkgconfig/layer.pc

##uninstall: remove what `make install` put there, given the same variables
.PHONY: uninstall
uninstall:
	rm -f $(addprefix $(DESTDIR),$(BINDIR)/layerd $(MAN_PAGE) $(COMPLETION) $(SYSUSERSDIR)/layerd.conf)
	rm -f $(addprefix $(DESTDIR)$(UNITDIR)/layerd,.service .socket) $(DESTDIR)$(LIBDIR)/pkgconfig/layer.pc
	rm -f $(addprefix $(DESTDIR)$(LIBDIR)/,liblayer.a liblayer.so $(LIB_SONAME) liblayer.so.$(VERSION))
	rm -rf $(DESTDIR)$(INCLUDEDIR)/layer

##deb: Debian packages of all that is installed, under build/deb, judged by lintian and unpacked for a test
.PHONY: deb
deb:
	@.ci/install build package
	@docker/package
	@tests/run tests/install/package_check.sh

# ---- What is checked -------------------------------------------------------------------------

C_FILES := $(sort $(wildcard $(foreach top,lib api server tests,$(addprefix $(top)/,*.[ch] *.cc */*.[ch] */*/*.[ch]))))
SCRIPTS := .ci/install .ci/run docker/engine docker/test docker/collect docker/package docker/sbom tests/layers tests/run tests/with-daemon \
    $(wildcard tests/*/*.sh)

##format: lay every source file out as .clang-format says
.PHONY: format
format:
	@.ci/install format
	@clang-format -i $(C_FILES)

##check-format: fail if `make format` would change a file, or shellcheck finds fault with a script
.PHONY: check-format
check-format:
	@.ci/install format
	@clang-format --dry-run -Werror $(C_FILES)
	@shellcheck $(SCRIPTS)

##warnings: compile every file with clang too; warnings are errors
.PHONY: warnings
warnings:
	@.ci/install build test format
	@$(MAKE) --no-print-directory -s -j$$(nproc) objects CC=clang CXX=clang++ OUT=build/clang

.PHONY: objects
objects: $(ALL_OBJECTS)

##help: this list
.PHONY: help
help:
	@awk '/^##[a-z-]+: / { name = $$1; gsub(/[#:]/, "", name); $$1 = ""; printf "  make %-13s%s\n", name, $$0 }' Makefile

##clean: remove build/
.PHONY: clean
clean:
	rm -rf build
