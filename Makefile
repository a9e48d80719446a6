# Thin aliases of npm scripts: `make help` lists them.
.DEFAULT_GOAL := help
# A cluster is used only when it is named here, not because the shell happens to point at one.
KUBECONFIG_FLAG := $(if $(filter command,$(firstword $(origin KUBECONFIG))),--kubeconfig "$(KUBECONFIG)")

node_modules/.installed: package.json package-lock.json $(wildcard */package.json)
	npm install --no-save
	@touch $@

.PHONY: help setup run test test-unit test-e2e check format control-plane bench bundle image pack cluster cluster-down test-cluster clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: node_modules/.installed ## install the dependencies, Node.js among them

run: setup ## watch a sharded operator on a real control plane (CI=1: play a script; KUBECONFIG=file: your cluster)
	@npm run --silent main-job -- $(KUBECONFIG_FLAG) $(ARGS)

test: setup ## check, then unit tests, their mutants, then end-to-end tests
	@npm test --silent

test-unit: setup ## unit tests only
	@npm run --silent test:unit

test-e2e: setup ## end-to-end tests only
	@npm run --silent test:e2e

cluster: setup ## a cluster with real nodes on this machine, and the image in it (root, Linux; NODES=2)
	@npm run --silent cluster -- up $(NODES)

cluster-down: setup ## end that cluster
	@npm run --silent cluster -- down

test-cluster: setup ## test image and manifests on a cluster with real nodes (or on yours: KUBECONFIG=file IMAGE=reference)
	@$(if $(KUBECONFIG_FLAG),CLUSTER_KUBECONFIG="$(abspath $(KUBECONFIG))" CLUSTER_IMAGE="$(IMAGE)") npm run --silent test:cluster

check: setup ## types, format, lint, dead code
	@npm run --silent check

format: setup ## format and fix
	@npm run --silent format

control-plane: setup ## find, download or build the Kubernetes binaries
	@npm run --silent control-plane

bench: setup ## measure and check the bounds (NAME=list; without a NAME, the names are told; ARGS="--json")
	@npm run --silent bench -- $(NAME) $(ARGS)

bundle: setup ## bundle all programs for the image into dist/image/
	@npm run --silent bundle

image: setup ## make the container image dist/image.tar, without a registry
	@npm run --silent image

pack: setup ## pack the shared library for other projects
	@npm run --silent pack:shared

mutants: setup ## put faults into a copy of the library: the tests must catch each one
	@npm run --silent mutants

clean: ## remove what was installed and built here (not the cached binaries)
	rm -rf node_modules logs dist
