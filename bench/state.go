package bench

import "fmt"

// stateJSON is the state of an account with n holds.
func stateJSON(n int, balance int64) []byte {
	s := append([]byte(`{"owner":"Ann Catherine Smith of Old Town","status":"open","balance":`), appendCents(nil, balance)...)
	s = append(s, `,"holds":{`...)
	for i := range n {
		if i > 0 {
			s = append(s, ',')
		}
		s = fmt.Appendf(s, `"%s":{"amount":%s,"until":"2026-11-25T10:00:00Z"}`, uuidText(holdID(i)), appendCents(nil, holdCents))
	}
	return append(s, `},"tags":["gold","vip"],"contact":"ann@example.com","extra":{"k":1.50}}`...)
}

func uuidText(id [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
