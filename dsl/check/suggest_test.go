package check

import "testing"

func TestNearest(t *testing.T) {
	candidates := []string{"balance", "owner", "status", "withdrawn", "id", "half_even", "closed_on"}
	cases := []struct{ name, want string }{
		{"balnce", "balance"},
		{"blaance", "balance"},
		{"Balance", "balance"},
		{"ballance", "balance"},
		{"owne", "owner"},
		{"owners", "owner"},
		{"withdraw", "withdrawn"},
		{"half_evn", "half_even"},
		{"xd", ""},
		{"ID", "id"},
		{"balance", ""},
		{"amount", ""},
		{"closedon", "closed_on"},
		{"", ""},
	}
	for _, c := range cases {
		if got := nearest(c.name, candidates); got != c.want {
			t.Errorf("nearest(%q): got %q want %q", c.name, got, c.want)
		}
	}
}
