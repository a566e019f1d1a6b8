// Package parsers proves the files of deploy/ with the parsers and builds that `make test` must
// not wait for: buildkit's for the Dockerfile, compose-go, PromQL's own, goreleaser's. It puts the
// image together and runs what is in it. It is a module of its own, so that none of this is a
// dependency of the product; there is no code here but tests.
package parsers
