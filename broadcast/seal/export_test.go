package seal

import (
	"encoding/base64"

	"github.com/loaxa/loaxa/broadcast"
)

// VerifyRaw verifies "protected.payload" with the code that Open uses.
func VerifyRaw(public []byte, input, sig string) bool {
	for i := range input {
		if input[i] == '.' {
			env := broadcast.Envelope{Payload: input[i+1:], Signatures: []broadcast.Signature{{Protected: input[:i], Signature: sig}}}
			return checkSignature(env, 0, broadcast.Key(base64.RawURLEncoding.EncodeToString(public))) == nil
		}
	}
	return false
}
