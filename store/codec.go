package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"github.com/cloudlysis/aggregate"
)

// A value is
//
//	sha256(key, 0, rest) rest
//	rest = format version version(mark) sequence hash n before{n times} time(created) time(updated) state stream fingerprint commands
//
// with numbers as uvarint, times and the last four as length and bytes. The key in the checksum
// ties a value to its aggregate and tenant. The place comes first, so that it is read cheaply.

// format is the first byte after the checksum; another one counts as damaged.
const format = 2

// errDamaged: the bytes are not a value that was put under that key.
var errDamaged = errors.New("damaged snapshot")

// encode appends the value of s under its key to b.
func encode(b []byte, key string, s *aggregate.Snapshot) ([]byte, error) {
	start := len(b)
	b = append(b, make([]byte, sha256.Size)...)
	b = append(b, format)
	b = binary.AppendUvarint(b, uint64(s.Version))
	b = binary.AppendUvarint(b, uint64(s.Mark.Version))
	b = binary.AppendUvarint(b, uint64(s.Mark.Sequence))
	b = append(b, s.Mark.Hash[:]...)
	b = appendBefore(b, &s.Mark)
	for _, t := range []time.Time{s.CreatedAt, s.UpdatedAt} {
		raw, err := t.UTC().MarshalBinary()
		if err != nil {
			return b[:start], err
		}
		b = appendBytes(b, raw)
	}
	b = appendBytes(b, s.State)
	b = appendBytes(b, []byte(s.Mark.Stream))
	b = appendBytes(b, []byte(s.Fingerprint))
	b = appendBytes(b, s.Commands)
	sum := checksum(key, b[start+sha256.Size:])
	copy(b[start:], sum[:])
	return b, nil
}

// appendBefore leaves the zeros at the end out.
func appendBefore(b []byte, m *aggregate.Mark) []byte {
	n := len(m.Before)
	for n > 0 && m.Before[n-1] == 0 {
		n--
	}
	b = binary.AppendUvarint(b, uint64(n))
	for _, seq := range m.Before[:n] {
		b = binary.AppendUvarint(b, uint64(seq))
	}
	return b
}

func appendBytes(b, v []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

func checksum(key string, rest []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte(key))
	h.Write([]byte{0})
	h.Write(rest)
	h.Sum(sum[:0])
	return sum
}

// decode reads a value. The snapshot shares v's memory.
func decode(key aggregate.Key, name string, v []byte) (*aggregate.Snapshot, error) {
	rest, err := verified(name, v)
	if err != nil {
		return nil, err
	}
	r := reader{b: rest}
	s := &aggregate.Snapshot{TenantID: key.Tenant, AggregateType: key.Type, AggregateID: key.ID}
	s.Version = aggregate.Version(r.uint())
	s.Mark.Version = aggregate.Version(r.uint())
	s.Mark.Sequence = aggregate.Sequence(r.uint())
	copy(s.Mark.Hash[:], r.take(len(s.Mark.Hash)))
	n := r.uint()
	if n > uint64(len(s.Mark.Before)) {
		return nil, errDamaged
	}
	for i := range n {
		s.Mark.Before[i] = aggregate.Sequence(r.uint())
	}
	s.CreatedAt, s.UpdatedAt = r.time(), r.time()
	s.State = r.bytes()
	s.Mark.Stream = string(r.bytes())
	s.Fingerprint = string(r.bytes())
	s.Commands = r.bytes()
	if r.bad || len(r.b) > 0 {
		return nil, errDamaged
	}
	return s, nil
}

// placeOf gives the version in a value that is whole, and the sequence of its mark.
func placeOf(name string, v []byte) (aggregate.Version, aggregate.Sequence, error) {
	rest, err := verified(name, v)
	if err != nil {
		return 0, 0, err
	}
	r := reader{b: rest}
	version, _, seq := aggregate.Version(r.uint()), r.uint(), aggregate.Sequence(r.uint())
	if r.bad {
		return 0, 0, errDamaged
	}
	return version, seq, nil
}

// verified checks the checksum and gives what follows the format.
func verified(name string, v []byte) ([]byte, error) {
	if len(v) <= sha256.Size {
		return nil, errDamaged
	}
	if sum := checksum(name, v[sha256.Size:]); string(sum[:]) != string(v[:sha256.Size]) || v[sha256.Size] != format {
		return nil, errDamaged
	}
	return v[sha256.Size+1:], nil
}

// reader takes values from b; after a bad one all are zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// bytes gives nil for a length of zero, as for a field that was never set.
func (r *reader) bytes() []byte {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	if n == 0 {
		return nil
	}
	return r.take(int(n))
}

func (r *reader) time() (t time.Time) {
	raw := r.bytes()
	err := t.UnmarshalBinary(raw)
	t = t.UTC()
	// The library takes more bits than it writes: only what it would write again is a time.
	var room [16]byte
	again, bad := t.AppendBinary(room[:0])
	if err != nil || bad != nil || !bytes.Equal(again, raw) {
		r.bad = true
	}
	return t
}
