package envelope

import (
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	"github.com/cloudlysis/aggregate"
)

// Names of the headers of a stored message.
const (
	HeaderFormat       = "agg-format"        // the form of the body, 1
	HeaderFirstVersion = "agg-first-version" // of the first event
	HeaderVersion      = "agg-version"       // of the aggregate after the message
	HeaderPrevSeq      = "agg-prev-seq"      // sequence of the message before it on its subject, 0 for the first
	HeaderBefore       = "agg-before"        // steps back from there to the messages before that one; a hint
	HeaderTenant       = "x-tenant-id"
	HeaderCorrelation  = "x-correlation-id"
	HeaderTraceparent  = "traceparent"

	HeaderMsgID           = "Nats-Msg-Id"
	HeaderExpectedSeq     = "Nats-Expected-Last-Subject-Sequence"
	HeaderExpectedSubject = "Nats-Expected-Last-Subject-Sequence-Subject"
)

// Keys of a commit's metadata that travel as headers.
const (
	metaCorrelation = "correlation_id"
	metaTraceparent = "traceparent"
)

// maxHeaderValue is the longest x-correlation-id or traceparent that becomes a header.
const maxHeaderValue = 128

// MsgID is the message id under which the server looks for duplicates. It is scoped, as the
// server keeps one table of ids for the whole stream.
func MsgID(key aggregate.Key, first aggregate.ID) string {
	return string(appendMsgID(make([]byte, 0, len(key.Tenant)+len(key.Type)+2*37+2), key, first))
}

func appendMsgID(b []byte, key aggregate.Key, first aggregate.ID) []byte {
	b = append(append(b, key.Tenant.Token()...), '/')
	b = append(append(b, key.Type...), '/')
	b, _ = key.ID.AppendText(b)
	b, _ = first.AppendText(append(b, '/'))
	return b
}

// Headers makes the headers of m for an aggregate that stands at the mark at. The map is the caller's.
func Headers(m *Message, at aggregate.Mark) map[string][]string {
	var s HeaderSet
	return s.Fill(nil, "", m, &at)
}

// HeaderSet makes the headers of one message after another in the same memory, the texts included.
// The zero HeaderSet is ready for use.
type HeaderSet struct {
	// Subject is what was given to Fill.
	Subject string

	text   []byte // what the strings of a message are parts of
	values [valueCount]string
	has    [valueCount]bool // of the optional ones, in m
	m      map[string][]string
}

// Places of values within a HeaderSet.
const (
	valueFormat = iota
	valueFirst
	valueLast
	valuePrev
	valueBefore
	valueMsgID
	valueTenant
	valueCorrelation
	valueTraceparent
	valueOwners
	valueCount
)

// Fill makes the headers of m, which will stand on subject after the mark at. Owners, when not
// empty, is the wider subject that the guard is for. The map, its strings and Subject are valid until
// the next call.
func (s *HeaderSet) Fill(subject []byte, owners string, m *Message, at *aggregate.Mark) map[string][]string {
	first := &m.Commits[0]
	ends := [valueCount]int{}
	b := append(s.text[:0], subject...)
	b = strconv.AppendUint(b, uint64(at.Version.Next()), 10)
	ends[valueFirst] = len(b)
	b = strconv.AppendUint(b, uint64(at.Version)+uint64(m.Events()), 10)
	ends[valueLast] = len(b)
	b = strconv.AppendUint(b, uint64(at.Sequence), 10)
	ends[valuePrev] = len(b)
	b = appendBefore(b, at)
	ends[valueBefore] = len(b)
	b = appendMsgID(b, m.Key, first.CommandID)
	ends[valueMsgID] = len(b)
	s.text = b
	all := unsafe.String(unsafe.SliceData(b), len(b))
	s.Subject = all[:len(subject)]
	s.values[valueFormat], s.values[valueTenant], s.values[valueOwners] = "1", string(m.Key.Tenant), owners
	s.values[valueCorrelation], s.values[valueTraceparent] = first.Metadata[metaCorrelation], first.Metadata[metaTraceparent]
	from := len(subject)
	for _, i := range [...]int{valueFirst, valueLast, valuePrev, valueBefore, valueMsgID} {
		s.values[i] = all[from:ends[i]]
		from = ends[i]
	}
	return s.link()
}

// link points the map at the values, which are always in the same places.
func (s *HeaderSet) link() map[string][]string {
	if s.m == nil {
		// Eight is what a message without correlation and trace has at most, and what the runtime
		// keeps in one group, which the client library walks through twice.
		s.m = make(map[string][]string, 8)
		for name, i := range map[string]int{HeaderFormat: valueFormat, HeaderFirstVersion: valueFirst, HeaderVersion: valueLast,
			HeaderPrevSeq: valuePrev, HeaderExpectedSeq: valuePrev, HeaderMsgID: valueMsgID, HeaderTenant: valueTenant} {
			s.m[name] = s.values[i : i+1 : i+1]
		}
	}
	s.optional(HeaderBefore, valueBefore, s.values[valueBefore] != "")
	s.optional(HeaderCorrelation, valueCorrelation, isVisible(s.values[valueCorrelation]))
	s.optional(HeaderTraceparent, valueTraceparent, isVisible(s.values[valueTraceparent]))
	s.optional(HeaderExpectedSubject, valueOwners, s.values[valueOwners] != "")
	return s.m
}

// optional keeps the map in step with what this message has; most are like the one before.
func (s *HeaderSet) optional(name string, i int, want bool) {
	switch {
	case want == s.has[i]:
	case want:
		s.m[name] = s.values[i : i+1 : i+1]
	default:
		delete(s.m, name)
	}
	s.has[i] = want
}

// appendBefore writes how far each message lies before the one behind it, beginning with the one
// before the message at the mark: small numbers, since an aggregate's messages are often near.
func appendBefore(b []byte, at *aggregate.Mark) []byte {
	from := at.Sequence
	for i, seq := range at.Before {
		if seq == 0 || seq >= from {
			break
		}
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendUint(b, uint64(from-seq), 10)
		from = seq
	}
	return b
}

// Before appends the sequences that the headers name as those of the messages before it on its
// subject, the newest first. They are hints: whoever reads there compares the chain of hashes.
func Before(dst []aggregate.Sequence, h map[string][]string) []aggregate.Sequence {
	from, ok := PrevSequence(h)
	if !ok || from == 0 {
		return dst
	}
	dst = append(dst, from)
	v := h[HeaderBefore]
	if len(v) == 0 {
		return dst
	}
	for text := range strings.SplitSeq(v[0], " ") {
		step, err := strconv.ParseUint(text, 10, 64)
		if err != nil || step == 0 || step >= uint64(from) {
			return dst
		}
		from -= aggregate.Sequence(step)
		dst = append(dst, from)
	}
	return dst
}

// isVisible tells whether s may be a header: 1 to 128 visible ASCII characters, so that no
// value from outside can start a header of its own.
func isVisible(s string) bool {
	if s == "" || len(s) > maxHeaderValue {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// CheckFormat refuses a message whose agg-format this package does not read, with
// aggregate.ErrManifestBehind. A message without the header is judged by its body alone.
func CheckFormat(h map[string][]string) error {
	if v := h[HeaderFormat]; len(v) > 0 && v[0] != "1" {
		return fmt.Errorf("%w: a stored message has agg-format %q, this engine reads 1; a newer engine wrote it", aggregate.ErrManifestBehind, v[0])
	}
	return nil
}

// VersionAfter reads agg-version: the version of the aggregate after the message. A message without
// events says it nowhere else. The second result is false when there is none that can be read.
func VersionAfter(h map[string][]string) (aggregate.Version, bool) {
	v := h[HeaderVersion]
	if len(v) == 0 {
		return 0, false
	}
	n, err := strconv.ParseUint(v[0], 10, 53)
	return aggregate.Version(n), err == nil
}

// PrevSequence reads agg-prev-seq: a hint where the message before it stands. The second
// result is false when there is none that can be read.
func PrevSequence(h map[string][]string) (aggregate.Sequence, bool) {
	v := h[HeaderPrevSeq]
	if len(v) == 0 {
		return 0, false
	}
	n, err := strconv.ParseUint(v[0], 10, 64)
	return aggregate.Sequence(n), err == nil
}
