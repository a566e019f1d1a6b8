// Package clienttest calls aggd's doors with clients that were not written here (grpcurl, curl,
// a generated TypeScript client in Node, nats.go), follows one command from the Gateway's headers
// to the stored message, and measures what a door costs. What needs more than Go runs with
// AGG_TEST_ALL=1.
package clienttest
