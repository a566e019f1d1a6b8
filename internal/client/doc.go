// Package client is aggd's client verbs: it calls a running daemon's HTTP door and prints what
// it answers, byte for byte, so that every digit of a number reaches the reader.
package client
