// Command image puts the image of aggd together without docker: a static binary, the certificates
// of this machine's authorities and an empty data folder, owned by a user without a name. It
// writes a tarball that `docker load` and `podman load` take.
//
//	go run ./image -binary aggd -version 0.1.0 -o aggd-image.tar
//
// The configuration is that of deploy/docker/Dockerfile; a test of internal/deploytest/parsers
// compares the two. The same binary and certificates give the same image, bit by bit: all times
// are those of [epoch].
package main
