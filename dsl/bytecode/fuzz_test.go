package bytecode

import (
	"bytes"
	"crypto/sha256"
	"io"
	"testing"
)

// FuzzDecode: any bytes are refused or are a program that has one file and can be shown.
func FuzzDecode(f *testing.F) {
	file := Encode(sample())
	f.Add(file[:len(file)-sha256.Size])
	f.Add([]byte("AGGB\x01\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) < len(magic) || string(body[:len(magic)]) != magic {
			return
		}
		p, err := decodeBody(body)
		if err != nil {
			return
		}
		again := Encode(p)
		q, err := Decode(again)
		if err != nil {
			t.Fatalf("what was decoded cannot be decoded again: %v", err)
		}
		if !bytes.Equal(Encode(q), again) || Fingerprint(p) != Fingerprint(q) {
			t.Fatal("the program changed on its way")
		}
		if err := Disassemble(io.Discard, p); err != nil {
			t.Fatal(err)
		}
	})
}
