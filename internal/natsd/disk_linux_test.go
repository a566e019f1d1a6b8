package natsd

import "testing"

func TestAtLeast(t *testing.T) {
	for _, c := range []struct {
		release string
		want    bool
	}{{"5.8.0", true}, {"5.7.19-generic", false}, {"6.18.44-fc-v669", true}, {"4.19.0", false}, {"10.0", true}, {"5.10", true}, {"", false}, {"x", false}} {
		if got := atLeast(c.release, 5, 8); got != c.want {
			t.Errorf("%q: got %v, want %v", c.release, got, c.want)
		}
	}
}
