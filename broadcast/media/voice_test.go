package media

import "testing"

func TestAVoiceIsAWaveOfItsOwnLength(t *testing.T) {
	head := VoiceHead(32000)
	if kind, err := Sniff(head); len(head) != VoiceHeader || kind != WAV || err != nil {
		t.Errorf("%d bytes, %v, %v", len(head), kind, err)
	}
	if string(VoiceHead(32002)) == string(head) {
		t.Error("two lengths have one header")
	}
}
