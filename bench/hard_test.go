package bench

import "testing"

// Ours is right in every case; that of others is shown, and not judged here.
func TestHardCases(t *testing.T) {
	for i, c := range HardCases() {
		for k, a := range Answerers() {
			text := a.Answer(i)
			if k == 0 && !c.OK(text) {
				t.Errorf("%s: %s: got %q, want one of %q", a.Name, c.Name, text, c.Right)
			}
			if text == "" {
				t.Errorf("%s: %s: no answer", a.Name, c.Name)
			}
		}
	}
	t.Log("\n" + HardTable())
}
