package envelope

import (
	"strings"

	"github.com/cloudlysis/aggregate"
)

// Layouts with a stream for each value of one part of the key. Nobody knows beforehand which there
// will be, so each stream is made when it is first needed.
const (
	// PerTenant gives each tenant a stream of its own: it can be backed up, placed and deleted by itself.
	PerTenant Layout = 1<<15 + iota
	// PerType gives each aggregate type a stream, of all tenants.
	PerType
)

// AllSubjects matches the subjects of all aggregates in every layout.
const AllSubjects = "tenant.*.aggregate.>"

// OnDemand tells whether the streams of the layout are made when they are first needed.
func (l Layout) OnDemand() bool { return l == PerTenant || l == PerType }

// Exclusive tells whether one stream holds the messages of one (type, id) whichever tenant has
// them, so that a guard over all tenants can rest on it.
func (l Layout) Exclusive() bool { return l == Single || l == PerType }

// AppendStream appends [Layout.Stream] to b. No two parts of a key have one name: a tenant id and a
// type consist of characters that a name may hold, and "_", the empty tenant, is no tenant id.
func (l Layout) AppendStream(b []byte, key aggregate.Key) []byte {
	b = append(append(b, StreamName...), l.infix()...)
	switch {
	case l == PerTenant:
		return append(b, key.Tenant.Token()...)
	case l == PerType:
		return append(b, key.Type...)
	case l == Single:
		return b
	}
	return appendNumber(b, l.Index(key))
}

// infix stands in the name of a stream before what tells it from the others.
func (l Layout) infix() string {
	switch l {
	case Single:
		return ""
	case PerTenant:
		return "_T_"
	case PerType:
		return "_Y_"
	}
	return "_S_"
}

// StreamOf names the one stream that holds all that f matches; false when there are several.
func (l Layout) StreamOf(f Filter) (string, bool) {
	key, one := f.Key()
	switch l {
	case Single:
		one = true
	case PerTenant:
		one = !f.AllTenants
	case PerType:
		one = f.Type != ""
	}
	if !one {
		return "", false
	}
	return l.Stream(key), true
}

// onDemandSubjects is [Layout.Subjects] of a stream named by part.
func (l Layout) onDemandSubjects(part string) []string {
	if l == PerType {
		if _, err := aggregate.ParseType(part); err != nil {
			return nil
		}
		return []string{"tenant.*.aggregate." + part + ".>"}
	}
	if _, err := aggregate.ParseTenantID(part); part != "_" && (err != nil || part == "") {
		return nil
	}
	return []string{"tenant." + part + ".aggregate.>"}
}

// cutStream gives what tells the named stream from the others of the layout.
func (l Layout) cutStream(name string) (string, bool) {
	return strings.CutPrefix(name, StreamName+l.infix())
}
