package broadcast

import (
	"fmt"
	"time"
)

// FaultCode names one kind of failure for good: codes are in hints, histories
// and texts of many years. A later version may send one that is not in this
// table; it is kept and shown as it is.
type FaultCode string

// Validate refuses codes that are not in the table.
func (c FaultCode) Validate() error {
	if _, known := FaultOf(c); !known {
		return fmt.Errorf("fault %q is not in the table", string(c))
	}
	return nil
}

// Declarer says who finds a failure out.
type Declarer string

// Who declares faults. ByBoth is what the node and the controller each see from
// their own side.
const (
	ByNode       Declarer = "node"
	ByController Declarer = "controller"
	ByBoth       Declarer = "both"
)

// Gravity says what a failure costs, so that people go to the worst first.
type Gravity string

// The gravities, the worst first.
const (
	Grave   Gravity = "grave"   // a site is silent, sounds unbidden, or may not be what it says it is
	Trouble Gravity = "trouble" // something is lost, or will be if nobody comes
	Notice  Gravity = "notice"  // nothing is lost yet
)

// Gravities returns every gravity, the worst first.
func Gravities() []Gravity { return []Gravity{Grave, Trouble, Notice} }

// MaxFaultDelay is how long a failure may be there before the controller shows
// it with its part named, the way through the network included. EN 54-16 grants
// 100 s.
const MaxFaultDelay = 60 * time.Second

// Fault is one kind of failure: the table of them drives what is supervised,
// what people read, and the tests.
type Fault struct {
	Code FaultCode
	By   Declarer
	Part Part
	// Gravity is what it costs.
	Gravity Gravity
	// Behind are the causes that silence it: while one of them is declared for
	// the same node, this one is not shown, because mending it mends both.
	Behind []FaultCode
	// Lasts is how long the failure must last before it is declared, Calm how
	// long it must be gone before it is cleared: what comes and goes is said once.
	Lasts, Calm time.Duration
	// Within is when the controller shows it at the latest. For a failure that
	// only a sounding can bring to light, it counts from there.
	Within time.Duration
	// VI and EN say what is wrong, DoVI and DoEN what to do about it.
	VI, EN, DoVI, DoEN string
}

// Faults returns the one table of faults, part by part.
func Faults() []Fault {
	var all []Fault
	for _, part := range [][]Fault{cardFaults(), clockFaults(), contentFaults(), soundFaults(), relayFaults(),
		powerFaults(), boxFaults(), linkFaults(), documentFaults(), identityFaults(), certificateFaults(), centreFaults(), nodeFaults()} {
		all = append(all, part...)
	}
	return all
}

// FaultOf returns the row of a code; false if this version has none.
func FaultOf(code FaultCode) (Fault, bool) {
	for _, f := range Faults() {
		if f.Code == code {
			return f, true
		}
	}
	return Fault{}, false
}

// Part is what a technician goes to.
type Part string

// The parts of a site and of the controller.
const (
	PartCard         Part = "card"
	PartClock        Part = "clock"
	PartContent      Part = "content"
	PartSound        Part = "sound"
	PartRelay        Part = "relay"
	PartPower        Part = "power"
	PartBox          Part = "box"
	PartLink         Part = "link"
	PartDocuments    Part = "documents"
	PartIdentity     Part = "identity"
	PartCertificates Part = "certificates"
	PartNode         Part = "node"
	PartController   Part = "controller"
)

// PartText is what a part is called in the two languages of the console.
type PartText struct {
	Part   Part
	VI, EN string
}

// Parts returns the table of parts.
func Parts() []PartText {
	return []PartText{
		{PartCard, "thẻ nhớ", "memory card"},
		{PartClock, "đồng hồ", "clock"},
		{PartContent, "tệp âm thanh", "recordings"},
		{PartSound, "card âm thanh và tăng âm", "sound card and amplifier"},
		{PartRelay, "rơ-le và bộ canh", "relay and guard"},
		{PartPower, "nguồn điện", "power"},
		{PartBox, "hộp thiết bị", "box"},
		{PartLink, "đường truyền", "network link"},
		{PartDocuments, "văn bản điện tử", "documents"},
		{PartIdentity, "danh tính cụm loa", "the node's identity"},
		{PartCertificates, "chứng thư", "certificates"},
		{PartNode, "cụm loa", "node"},
		{PartController, "máy chủ", "controller"},
	}
}
