package envelope

import (
	"crypto/sha256"
	"strconv"
	"time"

	"github.com/cloudlysis/aggregate"
)

// EventID derives the id of the event at index (from 0) among the events of one command: a
// UUID of version 7 that carries the commit's milliseconds, its other 74 bits taken from
//
//	sha256(tenant \n type \n aggregate id \n command id \n index)
//
// with ids as text and the index in decimal. Deciding a command again at the same time, or
// moving its events to another stream, gives the same ids.
func EventID(key aggregate.Key, commandID aggregate.ID, at time.Time, index int) aggregate.ID {
	var buf [256]byte
	b := append(buf[:0], key.Tenant...)
	b = append(append(b, '\n'), key.Type...)
	b, _ = key.ID.AppendText(append(b, '\n'))
	b, _ = commandID.AppendText(append(b, '\n'))
	b = strconv.AppendInt(append(b, '\n'), int64(index), 10)
	sum := sha256.Sum256(b)

	var id aggregate.ID
	ms := uint64(max(at.UnixMilli(), 0))
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	copy(id[6:], sum[:10])
	id[6] = id[6]&0x0f | 0x70 // version 7
	id[8] = id[8]&0x3f | 0x80 // variant of RFC 9562
	return id
}
