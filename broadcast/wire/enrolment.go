package wire

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"

	"github.com/loaxa/loaxa/broadcast"
)

// Enrolment is the body of POST /api/v1/enrolments: a node shows its one-time
// token and proves that it holds the key that it asks to be known by.
type Enrolment struct {
	Node  broadcast.ID  `json:"node"`
	Token string        `json:"token"`
	Key   broadcast.Key `json:"key"`
	Board string        `json:"board"`
	// Proof is the Ed25519 signature of ProofText in base64url.
	Proof string `json:"proof"`
}

// ProofText is what a node signs to prove that it holds its key.
func (e Enrolment) ProofText() []byte {
	return []byte("loaxa/enrolment.v1 " + string(e.Node) + " " + e.Token + " " + string(e.Key))
}

// Prove fills in key and proof.
func (e Enrolment) Prove(key ed25519.PrivateKey) Enrolment {
	e.Key = broadcast.KeyOf(key.Public().(ed25519.PublicKey))
	e.Proof = base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, e.ProofText()))
	return e
}

// Validate refuses malformed requests and proofs that do not verify.
func (e Enrolment) Validate() error {
	key, err := broadcast.ParseKey(string(e.Key))
	if err := errors.Join(err, e.Node.Validate(), bounded("token", e.Token, 128), bounded("board", e.Board, 64)); err != nil {
		return err
	}
	proof, err := base64.RawURLEncoding.Strict().DecodeString(e.Proof)
	if err != nil || !ed25519.Verify(key, e.ProofText(), proof) {
		return errors.New("proof: does not verify with the key")
	}
	return nil
}

// DecodeEnrolment reads the body of an enrolment.
func DecodeEnrolment(raw []byte) (Enrolment, error) { return decodeHint[Enrolment](raw, 4<<10) }

// Enrolled is the answer: how the node reaches the broker from now on. The
// node is pending until somebody confirms the short code on site.
type Enrolled struct {
	Node broadcast.ID `json:"node"`
	// Secret is the node's credential for the broker and for fetching; it is
	// shown once.
	Secret      string                 `json:"secret"`
	Controllers []broadcast.Controller `json:"controllers"`
	// Roots holds every version of the root document; the node believes them
	// only if they lead to the fingerprint that it was given out of band.
	Roots []broadcast.Envelope `json:"roots"`
	// ShortCode is what the technician compares on site.
	ShortCode string `json:"short_code"`
}

// Validate says whether the answer is complete.
func (e Enrolled) Validate() error {
	if e.Secret == "" || len(e.Controllers) == 0 || len(e.Roots) == 0 {
		return errors.New("enrolled: secret, controllers and roots are needed")
	}
	return e.Node.Validate()
}

// DecodeEnrolled reads the answer to an enrolment.
func DecodeEnrolled(raw []byte) (Enrolled, error) { return decodeHint[Enrolled](raw, 64<<10) }

// ShortCode is the first eight hexadecimal digits of a key's id in two groups,
// short enough to be compared by voice.
func ShortCode(key broadcast.Key) (string, error) {
	id, err := key.ID()
	if err != nil {
		return "", err
	}
	return string(id[:4]) + "-" + string(id[4:8]), nil
}
