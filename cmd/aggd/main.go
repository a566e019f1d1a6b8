// Command aggd serves aggregates: it compiles a manifest set, keeps events in NATS JetStream and
// answers commands and queries over gRPC and HTTP.
package main

import "os"

// version is stamped by the linker.
var version = "dev"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }
