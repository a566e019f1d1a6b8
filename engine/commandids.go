package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/cloudlysis/aggregate"
)

// A commandIDs tells in which message of the log a command id may have its commit. It knows
// ids by hash only, so what it names is a candidate that the log has to confirm.
//
// Commits are kept in order, 1,024 to a segment. The open segment has 64 bits of hash for each
// commit. A closed one has a bloom filter (10 bits a commit: one look in 120 passes by chance),
// 16 bits of another hash for each commit, and the sequences; so a new command id costs a few
// probes a segment, and an old one is confirmed by one read rather than by reading all messages
// of a segment. In bytes that is about 6 a commit.
//
// Coding, kept in a snapshot; numbers are uvarints unless said:
//
//	commands = 0x01 count{of closed segments} closed* open .
//	closed   = filter{1,280 bytes} prints{1,024 times 2 bytes, little endian} runs .
//	open     = n hashes{n times 8 bytes, little endian} runs .
//	runs     = (step commits)* .  // until all commits have a sequence; step is from the one before, at least 1
type commandIDs struct {
	closed []segment
	hashes []uint64
	seqs   []aggregate.Sequence // of each hash
	tags   []byte               // of each hash: a look-up reads a byte a commit, not eight
}

func tagOf(h uint64) byte { return byte(h >> 56) }

const (
	segmentCommits  = 1024
	filterBits      = 10 * segmentCommits
	filterBytes     = filterBits / 8
	filterProbes    = 7
	printsBytes     = 2 * segmentCommits
	commandsVersion = 1
)

// segment is a closed one, as coded; it is never changed.
type segment []byte

var errCommands = errors.New("the coding of command ids is damaged")

// hashID maps an id to 64 well mixed bits. It is part of the coding: never to be changed.
func hashID(id aggregate.ID) uint64 {
	return mix(binary.LittleEndian.Uint64(id[:8]) ^ mix(binary.LittleEndian.Uint64(id[8:])))
}

// mix is the finalizer of splitmix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func printOf(h uint64) uint16 { return uint16(mix(h)) }

// probe is the place of bit i of h in a filter.
func probe(h uint64, i uint32) uint32 {
	return (uint32(h) + i*(uint32(h>>32)|1)) % filterBits
}

// add notes that id has its commit in the message at seq; sequences never fall.
func (c *commandIDs) add(id aggregate.ID, seq aggregate.Sequence) {
	h := hashID(id)
	c.hashes, c.seqs, c.tags = append(c.hashes, h), append(c.seqs, seq), append(c.tags, tagOf(h))
	if len(c.hashes) == segmentCommits {
		c.closed = append(c.closed, closeSegment(c.hashes, c.seqs))
		c.hashes, c.seqs, c.tags = c.hashes[:0], c.seqs[:0], c.tags[:0]
	}
}

func closeSegment(hashes []uint64, seqs []aggregate.Sequence) segment {
	s := make(segment, filterBytes+printsBytes, filterBytes+printsBytes+2*segmentCommits)
	for i, h := range hashes {
		for p := range uint32(filterProbes) {
			bit := probe(h, p)
			s[bit/8] |= 1 << (bit % 8)
		}
		binary.LittleEndian.PutUint16(s[filterBytes+2*i:], printOf(h))
	}
	return slices.Clip(appendRuns(s, seqs))
}

func appendRuns(b []byte, seqs []aggregate.Sequence) []byte {
	var last aggregate.Sequence
	for i := 0; i < len(seqs); {
		n := 1
		for i+n < len(seqs) && seqs[i+n] == seqs[i] {
			n++
		}
		b = binary.AppendUvarint(b, uint64(seqs[i]-last))
		b = binary.AppendUvarint(b, uint64(n))
		last = seqs[i]
		i += n
	}
	return b
}

// runs calls f with the sequence of each run and the index behind its last commit, until f
// says false or all of n commits have one; what is left of b is returned.
func runs(b []byte, n int, f func(seq aggregate.Sequence, end int) bool) ([]byte, error) {
	var seq aggregate.Sequence
	for at := 0; at < n; {
		step, w := binary.Uvarint(b)
		if w <= 0 || step == 0 || uint64(seq)+step < step {
			return nil, errCommands
		}
		k, w2 := binary.Uvarint(b[w:])
		if w2 <= 0 || k == 0 || k > uint64(n-at) {
			return nil, errCommands
		}
		b, at, seq = b[w+w2:], at+int(k), seq+aggregate.Sequence(step)
		if !f(seq, at) {
			return b, nil
		}
	}
	return b, nil
}

// candidates appends the sequences of the messages that may hold the commit of id, newest
// first and each once.
func (c *commandIDs) candidates(dst []aggregate.Sequence, id aggregate.ID) []aggregate.Sequence {
	h := hashID(id)
	from, tag := len(dst), tagOf(h)
	for i := bytes.IndexByte(c.tags, tag); i >= 0; {
		if c.hashes[i] == h && !slices.Contains(dst, c.seqs[i]) {
			dst = append(dst, c.seqs[i])
		}
		next := bytes.IndexByte(c.tags[i+1:], tag)
		if next < 0 {
			break
		}
		i += 1 + next
	}
	slices.Reverse(dst[from:])
	for i := len(c.closed) - 1; i >= 0; i-- {
		if c.closed[i].may(h) {
			dst = c.closed[i].find(dst, printOf(h))
		}
	}
	return dst
}

func (s segment) may(h uint64) bool {
	for p := range uint32(filterProbes) {
		if bit := probe(h, p); s[bit/8]&(1<<(bit%8)) == 0 {
			return false
		}
	}
	return true
}

func (s segment) find(dst []aggregate.Sequence, p uint16) []aggregate.Sequence {
	prints := s[filterBytes : filterBytes+printsBytes]
	for i := range segmentCommits {
		if binary.LittleEndian.Uint16(prints[2*i:]) != p {
			continue
		}
		if seq := s.sequence(i); !slices.Contains(dst, seq) {
			dst = append(dst, seq)
		}
	}
	return dst
}

// sequence is that of commit i.
func (s segment) sequence(i int) (at aggregate.Sequence) {
	_, _ = runs(s[filterBytes+printsBytes:], segmentCommits, func(seq aggregate.Sequence, end int) bool {
		at = seq
		return end <= i
	})
	return at
}

// len is how many commits are known.
func (c *commandIDs) len() int { return len(c.closed)*segmentCommits + len(c.hashes) }

// copy is independent of what is added to c later.
func (c *commandIDs) copy() commandIDs {
	return commandIDs{closed: slices.Clip(c.closed), hashes: slices.Clone(c.hashes), seqs: slices.Clone(c.seqs), tags: slices.Clone(c.tags)}
}

// encode appends the coding of c.
func (c *commandIDs) encode(b []byte) []byte {
	b = append(b, commandsVersion)
	b = binary.AppendUvarint(b, uint64(len(c.closed)))
	for _, s := range c.closed {
		b = append(b, s...)
	}
	b = binary.AppendUvarint(b, uint64(len(c.hashes)))
	for _, h := range c.hashes {
		b = binary.LittleEndian.AppendUint64(b, h)
	}
	return appendRuns(b, c.seqs)
}

// decodeCommands reads what encode wrote and nothing else; it copies what it keeps.
func decodeCommands(b []byte) (commandIDs, error) {
	var c commandIDs
	if len(b) == 0 || b[0] != commandsVersion {
		return c, errCommands
	}
	n, b, ok := count(b[1:], filterBytes+printsBytes)
	if !ok {
		return c, errCommands
	}
	for range n {
		s, rest, err := splitSegment(b)
		if err != nil {
			return commandIDs{}, err
		}
		c.closed, b = append(c.closed, s), rest
	}
	n, b, ok = count(b, 8)
	if !ok || n >= segmentCommits {
		return commandIDs{}, errCommands
	}
	for i := range n {
		h := binary.LittleEndian.Uint64(b[8*i:])
		c.hashes, c.tags = append(c.hashes, h), append(c.tags, tagOf(h))
	}
	b, err := runs(b[8*n:], n, func(seq aggregate.Sequence, end int) bool {
		for len(c.seqs) < end {
			c.seqs = append(c.seqs, seq)
		}
		return true
	})
	if err != nil || len(b) > 0 {
		return commandIDs{}, errCommands
	}
	return c, nil
}

// count reads a number of things that take at least size bytes each.
func count(b []byte, size int) (int, []byte, bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w)/uint64(size) {
		return 0, nil, false
	}
	return int(n), b[w:], true
}

func splitSegment(b []byte) (segment, []byte, error) {
	if len(b) < filterBytes+printsBytes {
		return nil, nil, errCommands
	}
	all := func(aggregate.Sequence, int) bool { return true }
	rest, err := runs(b[filterBytes+printsBytes:], segmentCommits, all)
	if err != nil {
		return nil, nil, err
	}
	return segment(slices.Clone(b[:len(b)-len(rest)])), rest, nil
}
