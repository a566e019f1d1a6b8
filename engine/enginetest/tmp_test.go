package enginetest
import ("testing";"github.com/cloudlysis/aggregate/internal/natsd")
func BenchmarkTmpSubmit(b *testing.B) { n, keys := benchNode(b, natsd.Interval, benchAggregates); race(b, n.submits("submit", 64, keys)) }
func BenchmarkTmpRaw(b *testing.B) { n, keys := benchNode(b, natsd.Interval, benchAggregates); race(b, n.raws("raw", 64, keys[0])) }
