package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/loaxa/loaxa/controller/people"
)

// route is one row of the table of routes.
type route struct {
	id, method, path string
	// need is the permission that a person must have; empty with public.
	need people.Permission
	// public routes answer anybody; node routes also answer nodes, and without a
	// permission nobody else.
	public, node bool
	// raw bodies are judged by the wire format, not by the contract.
	raw bool
	// signs routes use the caller's key; a session has to bring its passphrase.
	signs bool
	// status is that of success; 0 stands for 200.
	status int
	// most bounds the body in bytes; 0 stands for maxBody.
	most    int64
	summary string
}

// routes returns the one table: every route there is.
func routes() []route {
	return []route{
		{id: "upload-content", method: "POST", path: "/api/v1/contents", need: people.ContentUpload, status: 201, summary: "Upload sound (multipart field file, at most 200 MB); the answer names its canonical form"},
		{id: "get-content", method: "GET", path: "/api/v1/contents/{sha256}", need: people.AnnouncementRead, summary: "What was measured of one content"},
		{id: "preview-speech", method: "POST", path: "/api/v1/speech/preview", need: people.AnnouncementWrite, summary: "How a text would be said, piece by piece, with a mark on whatever may be misread"},
		{id: "create-speech", method: "POST", path: "/api/v1/speeches", need: people.AnnouncementWrite, status: 201, summary: "Have a text spoken; the recording's digest is in the answer once it is done"},
		{id: "list-speeches", method: "GET", path: "/api/v1/speeches", need: people.AnnouncementRead, summary: "Texts that wait for a voice, are being spoken, or were; newest first"},
		{id: "get-speech", method: "GET", path: "/api/v1/speeches/{id}", need: people.AnnouncementRead, summary: "One text with its sentences"},
		{id: "edit-sentence", method: "PUT", path: "/api/v1/speeches/{id}/sentence", need: people.AnnouncementWrite, summary: "Replace one sentence; only what changed is spoken again"},
		{id: "retry-speech", method: "POST", path: "/api/v1/speeches/{id}/retry", need: people.AnnouncementWrite, summary: "Try a text again at once that failed or waits"},
		{id: "read-paper", method: "POST", path: "/api/v1/papers", need: people.AnnouncementWrite, summary: "The words of a .docx or PDF (multipart field file), without heads, feet and signatures, parted at articles"},
		{id: "list-voices", method: "GET", path: "/api/v1/voices", need: people.AnnouncementRead, summary: "Every engine with its voices, and whether it is there"},
		{id: "list-lexicon", method: "GET", path: "/api/v1/areas/{id}/lexicon", need: people.AnnouncementRead, summary: "How an area says what is written"},
		{id: "keep-lexeme", method: "PUT", path: "/api/v1/areas/{id}/lexicon", need: people.AnnouncementWrite, summary: "Add an entry to the lexicon of an area, or change one"},
		{id: "drop-lexeme", method: "DELETE", path: "/api/v1/areas/{id}/lexicon", need: people.AnnouncementWrite, status: 204, summary: "Remove an entry from the lexicon of an area"},
		{id: "get-content-text", method: "GET", path: "/api/v1/contents/{sha256}/text", need: people.AnnouncementRead, summary: "The text that a recording was made of"},
		{id: "confirm-listened", method: "POST", path: "/api/v1/contents/{sha256}/listened", need: people.AnnouncementWrite, status: 204, summary: "Say to have listened to a recording; an emergency from a text asks for it"},
		{id: "create-announcement", method: "POST", path: "/api/v1/announcements", need: people.AnnouncementWrite, status: 201, summary: "Keep a draft"},
		{id: "list-announcements", method: "GET", path: "/api/v1/announcements", need: people.AnnouncementRead, summary: "Announcements, newest first: what was published anywhere, and drafts for the caller's areas; a page may be short"},
		{id: "get-announcement", method: "GET", path: "/api/v1/announcements/{id}", need: people.AnnouncementRead, summary: "One announcement"},
		{id: "revise-announcement", method: "POST", path: "/api/v1/announcements/{id}/revisions", need: people.AnnouncementWrite, status: 201, summary: "Keep a draft that takes the place of a published announcement once it has all its signatures; until then the old one holds"},
		{id: "submit-announcement", method: "POST", path: "/api/v1/announcements/{id}/submit", need: people.AnnouncementWrite, signs: true, summary: "Hand a draft in; from then on its words are fixed"},
		{id: "approve-announcement", method: "POST", path: "/api/v1/announcements/{id}/approve", need: people.AnnouncementApprove, signs: true, summary: "Sign the announcement whose digest was shown; the last signature needed publishes it"},
		{id: "approve-announcements", method: "POST", path: "/api/v1/approvals", need: people.AnnouncementApprove, signs: true, summary: "Sign several announcements whose digests were shown, each by itself: a week, or a whole programme"},
		{id: "withdraw-announcement", method: "POST", path: "/api/v1/announcements/{id}/withdraw", need: people.AnnouncementWrite, signs: true, summary: "Take an announcement back"},
		{id: "list-templates", method: "GET", path: "/api/v1/templates", need: people.AnnouncementRead, summary: "Words approved in advance: what stands, until when, and what waits for signatures"},
		{id: "get-template", method: "GET", path: "/api/v1/templates/{id}", need: people.AnnouncementRead, summary: "One template"},
		{id: "put-template", method: "PUT", path: "/api/v1/templates/{id}", need: people.AnnouncementWrite, summary: "Keep a draft of a template; what stands goes on until two officers have signed the draft"},
		{id: "renew-template", method: "POST", path: "/api/v1/templates/{id}/renew", need: people.AnnouncementWrite, summary: "Keep a draft of what stands that ends a year from now"},
		{id: "sign-template", method: "POST", path: "/api/v1/templates/{id}/sign", need: people.AnnouncementApprove, signs: true, summary: "Sign the draft whose digest was shown; the last signature needed makes it stand"},
		{id: "withdraw-template", method: "POST", path: "/api/v1/templates/{id}/withdraw", need: people.AnnouncementWithdraw, signs: true, summary: "Take a template back; nobody can activate it any more, nor a key switch fire it"},
		{id: "activate-template", method: "POST", path: "/api/v1/templates/{id}/activate", need: people.AnnouncementApprove, signs: true, status: 201, summary: "Have a template sound now, by one officer in the areas of that officer"},
		{id: "get-forecast", method: "GET", path: "/api/v1/announcements/{id}/forecast", need: people.AnnouncementRead, summary: "Where it would sound, where it would stay silent, and why; the same plan that the nodes make"},
		{id: "get-policy", method: "GET", path: "/api/v1/areas/{id}/policy", need: people.AreaRead, summary: "The policy of one area: what nodes hold, what waits for two signatures, and in what they differ"},
		{id: "propose-policy", method: "PUT", path: "/api/v1/areas/{id}/policy", need: people.PolicyWrite, summary: "Keep a draft of a policy; what stands goes on until two people have signed the draft. One that loosens a rule from above is refused with its field"},
		{id: "sign-policy", method: "POST", path: "/api/v1/areas/{id}/policy/sign", need: people.PolicyWrite, signs: true, summary: "Sign the draft whose digest was shown; the second person's signature makes it stand"},
		{id: "get-policy-difference", method: "GET", path: "/api/v1/areas/{id}/policy/difference", need: people.PlanRead, summary: "What of the coming 7 days would sound or stay silent otherwise under the draft, on which nodes"},
		{id: "get-difference", method: "GET", path: "/api/v1/announcements/{id}/difference", need: people.AnnouncementRead, summary: "What publishing it would change of everything else that its nodes sound"},
		{id: "get-calendar", method: "GET", path: "/api/v1/calendar", need: people.AnnouncementRead, summary: "What is on in some days at a place: what was published, and drafts for the caller's areas"},
		{id: "get-answers", method: "GET", path: "/api/v1/announcements/{id}/answers", need: people.AnnouncementRead, summary: "What communes did with what a higher level offers: placed, declined, or nothing yet"},
		{id: "list-offers", method: "GET", path: "/api/v1/areas/{id}/offers", need: people.AnnouncementRead, summary: "What higher levels offer to a place, what ends first before the others, with its answer"},
		{id: "list-collisions", method: "GET", path: "/api/v1/areas/{id}/collisions", need: people.AnnouncementRead, summary: "Where priority items meet in a place; the commune decides their order"},
		{id: "weigh-placement", method: "POST", path: "/api/v1/areas/{id}/placement/weigh", need: people.AnnouncementApprove, summary: "What placing, declining or ordering would change, without signing it"},
		{id: "sign-placement", method: "POST", path: "/api/v1/areas/{id}/placement", need: people.AnnouncementApprove, signs: true, summary: "Place offers, decline them, or order what meets; somebody of the commune signs it"},
		{id: "list-slots", method: "GET", path: "/api/v1/areas/{id}/slots", need: people.AnnouncementRead, summary: "The standing slots of a place, and which have nothing to sound today or tomorrow"},
		{id: "sign-slot", method: "PUT", path: "/api/v1/slots/{id}", need: people.AnnouncementApprove, signs: true, summary: "Give a standing slot, or change one"},
		{id: "end-slot", method: "POST", path: "/api/v1/slots/{id}/end", need: people.AnnouncementApprove, signs: true, summary: "End a standing slot at once"},
		{id: "get-station", method: "GET", path: "/api/v1/areas/{id}/station", need: people.AnnouncementRead, summary: "How a place names its station, and what opens and closes its programmes"},
		{id: "put-station", method: "PUT", path: "/api/v1/areas/{id}/station", need: people.AnnouncementWrite, summary: "Name the station of a place, its opening and its closing"},
		{id: "list-programmes", method: "GET", path: "/api/v1/programmes", need: people.AnnouncementRead, summary: "The programmes of some days in a place and below it"},
		{id: "create-programme", method: "POST", path: "/api/v1/programmes", need: people.AnnouncementWrite, status: 201, summary: "Put a programme together for one day"},
		{id: "get-programme", method: "GET", path: "/api/v1/programmes/{id}", need: people.AnnouncementRead, summary: "One programme: its parts, how long it lasts, whether it fits"},
		{id: "put-programme", method: "PUT", path: "/api/v1/programmes/{id}", need: people.AnnouncementWrite, summary: "Change a programme; whoever read an older version is shown the newer"},
		{id: "undo-programme", method: "POST", path: "/api/v1/programmes/{id}/undo", need: people.AnnouncementWrite, summary: "Take the last edit back, within an hour"},
		{id: "drop-programme", method: "DELETE", path: "/api/v1/programmes/{id}", need: people.AnnouncementWrite, status: 204, summary: "Forget a programme that is no announcement"},
		{id: "draft-programme", method: "POST", path: "/api/v1/programmes/{id}/draft", need: people.AnnouncementWrite, status: 201, summary: "Make the announcement of a programme, which is then submitted and approved like any other"},
		{id: "copy-programmes", method: "POST", path: "/api/v1/areas/{id}/programmes/copy", need: people.AnnouncementWrite, summary: "Copy the programmes of a day, or of a week, to others"},
		{id: "get-deliveries", method: "GET", path: "/api/v1/announcements/{id}/deliveries", need: people.DeliveryRead, summary: "What every node in the caller's areas proved"},
		{id: "get-diary", method: "GET", path: "/api/v1/areas/{id}/diary/{day}", need: people.DeliveryRead, summary: "One day of a commune: what sounded, who answers for it, what every node proved; as it was closed, with what was added since"},
		{id: "download-diary", method: "GET", path: "/api/v1/areas/{id}/diary/{day}/{form}", need: people.DeliveryRead, summary: "The same as a page to be printed and signed (html), a workbook (xlsx), or CSV"},
		{id: "write-diary", method: "POST", path: "/api/v1/areas/{id}/diary/{day}/entries", need: people.AnnouncementWrite, status: 201, summary: "Add something to a day; to a closed one as an addendum"},
		{id: "verify-diary", method: "GET", path: "/api/v1/areas/{id}/diary", need: people.DeliveryRead, summary: "Walk the whole diary of a commune and say whether any page was changed"},
		{id: "get-report", method: "GET", path: "/api/v1/areas/{id}/reports/{month}", need: people.DeliveryRead, summary: "One month of an area and everything below it, in numbers that receipts prove"},
		{id: "download-report", method: "GET", path: "/api/v1/areas/{id}/reports/{month}/{form}", need: people.DeliveryRead, summary: "The same as a page to be printed (html), a workbook (xlsx), or CSV"},
		{id: "send-feedback", method: "POST", path: "/api/v1/public/feedback", public: true, status: 201, most: 1 << 10, summary: "Anybody reports a loudspeaker that is too loud, not heard or broken (at most 1 KB)"},
		{id: "create-feedback", method: "POST", path: "/api/v1/feedback", need: people.FeedbackWrite, status: 201, summary: "Write down what somebody told of a loudspeaker"},
		{id: "list-feedback", method: "GET", path: "/api/v1/feedback", need: people.DeliveryRead, summary: "What people reported in the caller's areas, newest first"},
		{id: "get-feedback", method: "GET", path: "/api/v1/feedback/{id}", need: people.DeliveryRead, summary: "One report, and what was done about it"},
		{id: "assign-feedback", method: "POST", path: "/api/v1/feedback/{id}/assign", need: people.FeedbackWrite, summary: "Say which node it is about; how loud that is set now is kept"},
		{id: "close-feedback", method: "POST", path: "/api/v1/feedback/{id}/close", need: people.FeedbackWrite, summary: "Answer it for good; how loud its node is set now is kept"},
		{id: "list-areas", method: "GET", path: "/api/v1/areas", need: people.AreaRead, summary: "Today's organisation tree"},
		{id: "list-nodes", method: "GET", path: "/api/v1/nodes", need: people.NodeRead, summary: "Every node in the caller's areas with what it last said of itself"},
		{id: "list-faults", method: "GET", path: "/api/v1/faults", need: people.NodeRead, summary: "What is wrong with nodes and the controller, and what was, newest first"},
		{id: "list-firings", method: "GET", path: "/api/v1/firings", need: people.DeliveryRead, summary: "What key switches in boxes fired, and what was proved of it; the last that was told first"},
		{id: "get-plan", method: "GET", path: "/api/v1/nodes/{id}/plan", need: people.PlanRead, summary: "What a node will sound and, for what it will not, why"},
		{id: "get-node-ahead", method: "GET", path: "/api/v1/nodes/{id}/ahead", need: people.PlanRead, summary: "What a node will sound in the coming days and what it will not, in words, as its area does"},
		{id: "get-area-ahead", method: "GET", path: "/api/v1/areas/{id}/ahead", need: people.PlanRead, summary: "What the nodes of an area will sound in the coming days, and what they will not, and why"},
		{id: "confirm-node", method: "POST", path: "/api/v1/nodes/{id}/confirm", need: people.NodeConfirm, signs: true, summary: "Take a pending node in, after its short code was compared on site"},
		{id: "get-trim", method: "GET", path: "/api/v1/nodes/{id}/trim", need: people.NodeRead, summary: "How much softer a node is set than others"},
		{id: "trim-node", method: "POST", path: "/api/v1/nodes/{id}/trim", need: people.NodeConfirm, signs: true, summary: "Set a node softer or louder, by a signed place that changes nothing else"},
		{id: "revoke-node", method: "POST", path: "/api/v1/nodes/{id}/revoke", need: people.NodeConfirm, summary: "End a node's credential and the trust in its key; its name can be invited again"},
		{id: "get-pack", method: "GET", path: "/api/v1/nodes/{id}/pack", need: people.NodeCarry, summary: "Everything that a node without a line needs for the coming days, for a stick"},
		{id: "carry-receipts", method: "POST", path: "/api/v1/nodes/{id}/receipts", need: people.NodeCarry, raw: true, summary: "Store a file of receipts that came back by hand, as if the network had brought it"},
		{id: "get-recording", method: "GET", path: "/api/v1/nodes/{id}/recordings/{sha256}", need: people.DeliveryRead, summary: "What was spoken at a node's box, as a wave; ranges are served"},
		{id: "carry-recording", method: "POST", path: "/api/v1/nodes/{id}/recordings/{sha256}", need: people.NodeCarry, raw: true, summary: "Store a recording that came back by hand, after the receipt that names it"},
		{id: "ask-recording", method: "GET", path: "/recording/{sha256}", node: true, summary: "How much is here of a recording that a receipt of this node named"},
		{id: "send-recording", method: "PATCH", path: "/recording/{sha256}", node: true, raw: true, summary: "Go on sending a recording where what is here ends"},
		{id: "lose-recording", method: "DELETE", path: "/recording/{sha256}", node: true, status: 204, summary: "Say that the card has a recording no more; what is here stays"},
		{id: "create-enrolment-tokens", method: "POST", path: "/api/v1/enrolment-tokens", need: people.NodeEnrol, status: 201, summary: "One-time tokens for new nodes"},
		{id: "create-demo-enrolment-tokens", method: "POST", path: "/api/v1/demo/enrolment-tokens", public: true, status: 201, summary: "The same without a login, in a demo house only"},
		{id: "enrol", method: "POST", path: "/api/v1/enrolments", public: true, raw: true, status: 201, summary: "A node shows its one-time token and its own key"},
		{id: "list-persons", method: "GET", path: "/api/v1/persons", need: people.PersonManage, summary: "Everybody in the caller's areas, also those who left"},
		{id: "create-person", method: "POST", path: "/api/v1/persons", need: people.PersonManage, signs: true, status: 201, summary: "Take somebody in, inside the areas and dates of the caller's own rights"},
		{id: "issue-code", method: "POST", path: "/api/v1/persons/{id}/code", need: people.PersonManage, signs: true, status: 201, summary: "A one-time code with which somebody chooses a password; it ends that person's sessions"},
		{id: "get-handover", method: "GET", path: "/api/v1/persons/{id}/handover", need: people.PersonManage, summary: "What depends on a person, and what either kind of dismissal would do to it"},
		{id: "take-over", method: "POST", path: "/api/v1/persons/{id}/handover", need: people.AnnouncementApprove, signs: true, summary: "Sign anew, with one key, what depends on somebody in the caller's areas; each thing has an answer of its own"},
		{id: "dismiss-person", method: "POST", path: "/api/v1/persons/{id}/dismiss", need: people.PersonManage, signs: true, summary: "End somebody's rights and tokens; the answer says what depended on them"},
		{id: "list-audit", method: "GET", path: "/api/v1/audit", need: people.AuditRead, summary: "What people of the caller's areas did, newest first; for whoever is over everybody also what the controller did"},
		{id: "verify-audit", method: "GET", path: "/api/v1/audit/verification", need: people.AuditRead, summary: "Walk the whole audit log and hold it against what manifests and nodes were told of it"},
		{id: "get-organisation", method: "GET", path: "/api/v1/organisation", need: people.AreaRead, summary: "What every area was called, is called and will be, and the plans that say so"},
		{id: "weigh-organisation", method: "POST", path: "/api/v1/organisation/weigh", need: people.AreaManage, summary: "All that follows of a plan of areas, without doing anything"},
		{id: "apply-organisation", method: "POST", path: "/api/v1/organisation/plans", need: people.AreaManage, summary: "Have a plan of areas take effect on its day, if its effects are those that were shown"},
		{id: "drop-organisation", method: "DELETE", path: "/api/v1/organisation/plans/{sha256}", need: people.AreaManage, status: 204, summary: "Take a plan of areas back whose day has not come"},
		{id: "list-moves", method: "GET", path: "/api/v1/organisation/moves", need: people.NodeConfirm, summary: "Nodes whose signed place is not the one that the areas give them today"},
		{id: "sign-moves", method: "POST", path: "/api/v1/organisation/moves", need: people.NodeConfirm, signs: true, summary: "Sign today's places of those nodes in one action; policies that plans chose are proposed"},
		{id: "get-restoration", method: "GET", path: "/api/v1/restoration", need: people.HouseRestore, summary: "After a restore: what the nodes hold other than the backup, and whether it may be accepted yet"},
		{id: "accept-restoration", method: "POST", path: "/api/v1/restoration/accept", need: people.HouseRestore, status: 204, summary: "Accept the difference whose digest was shown; the restored controller then speaks again"},
		{id: "list-subscriptions", method: "GET", path: "/api/v1/subscriptions", need: people.AreaRead, summary: "Who is told of what, and by which way; one's own, and those of people whom one manages"},
		{id: "create-subscription", method: "POST", path: "/api/v1/subscriptions", need: people.AreaRead, status: 201, summary: "Ask to be told by mail, webhook or a command, of what one may see"},
		{id: "end-subscription", method: "POST", path: "/api/v1/subscriptions/{id}/end", need: people.AreaRead, summary: "No longer be told; what was still to be sent is dropped"},
		{id: "try-subscription", method: "POST", path: "/api/v1/subscriptions/{id}/try", need: people.AreaRead, summary: "Send a test message"},
		{id: "list-messages", method: "GET", path: "/api/v1/messages", need: people.AreaRead, summary: "Messages to oneself, and to people whom one manages, with what came of them"},
		{id: "get-document", method: "GET", path: "/document/{sha256}", need: people.AnnouncementRead, node: true, summary: "A sealed document, or an object that one names, by its digest"},
		{id: "get-sound", method: "GET", path: "/content/{sha256}", need: people.AnnouncementRead, node: true, summary: "Canonical sound by its digest; ranges are served"},
		{id: "get-live", method: "GET", path: "/live/{station}/{session}", need: people.AnnouncementRead, node: true, summary: "The sound of a station as it comes, signed for the live body that a session names"},
		{id: "list-stations", method: "GET", path: "/api/v1/stations", need: people.AnnouncementRead, summary: "The stations that may be relayed, and what is known of each now"},
		{id: "watch-events", method: "GET", path: "/api/v1/events", need: people.EventsRead, summary: "Server-sent events: the names of what changed"},
		{id: "get-me", method: "GET", path: "/api/v1/me", need: people.AreaRead, summary: "Whose token this is and what it may do"},
		{id: "sign-in", method: "POST", path: "/api/v1/session", public: true, status: 201, summary: "Begin a session with name and password; it comes as a cookie"},
		{id: "sign-in-first", method: "POST", path: "/api/v1/session/first", public: true, status: 201, summary: "Use a one-time code up: choose a password and, for a new key, its passphrase; a session begins"},
		{id: "sign-out", method: "DELETE", path: "/api/v1/session", need: people.AreaRead, status: 204, summary: "End the session of this cookie"},
		{id: "list-sessions", method: "GET", path: "/api/v1/sessions", need: people.AreaRead, summary: "One's own sessions that go on or, for whoever manages people, those of somebody else"},
		{id: "end-session", method: "DELETE", path: "/api/v1/sessions/{sha256}", need: people.AreaRead, status: 204, summary: "End a session; its browser becomes a stranger"},
		{id: "set-password", method: "PUT", path: "/api/v1/me/password", need: people.AreaRead, status: 204, summary: "Change one's password; every other session ends"},
		{id: "set-passphrase", method: "PUT", path: "/api/v1/me/passphrase", need: people.AreaRead, status: 204, summary: "Wrap one's key under another passphrase"},
		{id: "ask-passkey", method: "POST", path: "/api/v1/session/passkey/options", public: true, summary: "What to ask a device that shall let its owner in"},
		{id: "sign-in-passkey", method: "POST", path: "/api/v1/session/passkey", public: true, status: 201, summary: "Begin a session with a passkey; it comes as a cookie"},
		{id: "list-passkeys", method: "GET", path: "/api/v1/me/passkeys", need: people.AreaRead, summary: "The devices that let one in"},
		{id: "offer-passkey", method: "POST", path: "/api/v1/me/passkeys/options", need: people.AreaRead, summary: "What to ask a device that shall become a passkey; takes the password"},
		{id: "add-passkey", method: "POST", path: "/api/v1/me/passkeys", need: people.AreaRead, status: 201, summary: "Keep the passkey that a device made"},
		{id: "name-passkey", method: "PUT", path: "/api/v1/me/passkeys/{id}", need: people.AreaRead, status: 204, summary: "Call a device something else"},
		{id: "drop-passkey", method: "DELETE", path: "/api/v1/me/passkeys/{id}", need: people.AreaRead, status: 204, summary: "Remove a passkey; its device lets nobody in any more"},
		{id: "list-phones", method: "GET", path: "/api/v1/phones", need: people.PersonManage, summary: "Phones that officers share, in the caller's areas"},
		{id: "invite-phone", method: "POST", path: "/api/v1/phones", need: people.PersonManage, status: 201, summary: "A one-time code that enrols a phone for the officers of an area"},
		{id: "revoke-phone", method: "POST", path: "/api/v1/phones/{id}/revoke", need: people.PersonManage, summary: "End a phone that was lost, with its PINs and sessions"},
		{id: "enrol-phone", method: "POST", path: "/api/v1/phone", public: true, status: 201, summary: "Use a phone's code up; its secret comes as a cookie"},
		{id: "get-phone", method: "GET", path: "/api/v1/phone", public: true, summary: "The phone that asks, and who signs in on it with a PIN"},
		{id: "sign-in-pin", method: "POST", path: "/api/v1/session/pin", public: true, status: 201, summary: "Begin a session with a PIN on a shared phone"},
		{id: "set-pin", method: "PUT", path: "/api/v1/me/pin", need: people.AreaRead, signs: true, status: 204, summary: "Choose a PIN on this phone; takes the passphrase"},
		{id: "get-status", method: "GET", path: "/api/v1/status", public: true, summary: "Whether the controller is well"},
		{id: "get-contract", method: "GET", path: "/api/openapi.json", public: true, summary: "This contract"},
		{id: "get-page", method: "GET", path: "/{$}", public: true, summary: "A plain page: how many nodes are here, and the last announcements"},
	}
}

// registry registers handlers under the rows of the table.
type registry struct {
	server *server
	api    huma.API
	rows   map[string]route
	done   map[string]bool
}

// maxBody bounds a JSON body in bytes.
const maxBody = 128 << 10

// accessKey is where an operation keeps its row.
const accessKey = "access"

// operation makes what huma needs of a row.
func (r *registry) operation(id string) huma.Operation {
	row := r.rows[id]
	r.done[id] = true
	op := huma.Operation{OperationID: id, Method: row.method, Path: row.path, Summary: row.summary, MaxBodyBytes: maxBody,
		BodyReadTimeout: 20 * time.Second, SkipValidateBody: row.raw, DefaultStatus: row.status, Metadata: map[string]any{accessKey: row},
		Responses: map[string]*huma.Response{}}
	if row.most > 0 {
		op.MaxBodyBytes = row.most
	}
	if op.DefaultStatus == 0 {
		op.DefaultStatus = http.StatusOK
	}
	schema := r.api.OpenAPI().Components.Schemas.Schema(problemType(), true, "Problem")
	op.Responses["default"] = &huma.Response{Description: "A problem (RFC 9457)",
		Content: map[string]*huma.MediaType{problemMedia: {Schema: schema}}}
	if row.need != "" {
		op.Security = []map[string][]string{{"person": {}}, {"session": {}}}
		op.Description = "Needs the permission " + string(row.need) + "."
	}
	if row.signs {
		op.Parameters = append(op.Parameters, &huma.Param{Name: passphraseHeader, In: "header", Schema: &huma.Schema{Type: "string"},
			Description: "With a session: the passphrase of the caller's key, percent-encoded UTF-8. A personal token needs none"},
			&huma.Param{Name: pinHeader, In: "header", Schema: &huma.Schema{Type: "string"},
				Description: "On a shared phone, in the passphrase's place: the PIN of the caller"})
	}
	if row.node && row.need == "" {
		op.Description = "Needs a node's secret."
	}
	if row.node {
		op.Security = append(op.Security, map[string][]string{"node": {}})
	}
	return op
}

// on registers a handler that takes and gives JSON.
func on[I, O any](r *registry, id string, f func(context.Context, *I) (*O, error)) {
	op := r.operation(id)
	op.Responses[strconv.Itoa(op.DefaultStatus)] = &huma.Response{Description: "Done"}
	huma.Register(r.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, r.server.problem(id, err)
		}
		return out, nil
	})
}
