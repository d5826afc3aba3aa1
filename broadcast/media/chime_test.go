package media

import "testing"

func TestEveryClassHasAChime(t *testing.T) {
	for _, key := range []string{"normal", "priority", "emergency", "drill"} {
		if _, err := Chime(key); err != nil {
			t.Error(err)
		}
	}
}
