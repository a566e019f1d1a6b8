package envelope

import (
	"fmt"
	"strconv"

	"github.com/cloudlysis/aggregate"
)

// Names of the headers of a stored message.
const (
	HeaderFormat       = "agg-format"        // the form of the body, 1
	HeaderFirstVersion = "agg-first-version" // of the first event
	HeaderVersion      = "agg-version"       // of the aggregate after the message
	HeaderPrevSeq      = "agg-prev-seq"      // sequence of the message before it on its subject, 0 for the first
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
	b := make([]byte, 0, len(key.Tenant)+len(key.Type)+2*37+2)
	b = append(append(b, key.Tenant.Token()...), '/')
	b = append(append(b, key.Type...), '/')
	b, _ = key.ID.AppendText(b)
	b, _ = first.AppendText(append(b, '/'))
	return string(b)
}

// Headers makes the headers of m for an aggregate that stands at version at, its last
// message at sequence guard. The map is the caller's.
func Headers(m *Message, at aggregate.Version, guard aggregate.Sequence) map[string][]string {
	first := at.Next()
	last := at + aggregate.Version(m.Events())
	seq := strconv.FormatUint(uint64(guard), 10)
	v := []string{ // one array for all values
		"1", strconv.FormatUint(uint64(first), 10), strconv.FormatUint(uint64(last), 10), seq,
		MsgID(m.Key, m.Commits[0].CommandID), string(m.Key.Tenant)}
	h := make(map[string][]string, 9)
	h[HeaderFormat] = v[0:1:1]
	h[HeaderFirstVersion] = v[1:2:2]
	h[HeaderVersion] = v[2:3:3]
	h[HeaderPrevSeq] = v[3:4:4]
	h[HeaderExpectedSeq] = v[3:4:4]
	h[HeaderMsgID] = v[4:5:5]
	h[HeaderTenant] = v[5:6:6]
	meta := m.Commits[0].Metadata
	if s := meta[metaCorrelation]; isVisible(s) {
		h[HeaderCorrelation] = []string{s}
	}
	if s := meta[metaTraceparent]; isVisible(s) {
		h[HeaderTraceparent] = []string{s}
	}
	return h
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
