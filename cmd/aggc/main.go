// Command aggc is the tool of those who write .agg manifests: it checks, tests, formats and
// compiles them, and runs one command on one state.
package main

import "os"

// version is stamped by the linker.
var version = "dev"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
