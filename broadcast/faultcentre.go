package broadcast

// The faults of the link, of what is held and trusted, and of the centre.
const (
	FaultLink             FaultCode = "link-poor"
	FaultData             FaultCode = "data-budget"
	FaultUnanswered       FaultCode = "receipts-unanswered"
	FaultStale            FaultCode = "manifest-stale"
	FaultEquivocation     FaultCode = "equivocation"
	FaultTooMany          FaultCode = "too-many"
	FaultNoPlan           FaultCode = "no-plan"
	FaultDrift            FaultCode = "drift"
	FaultPlace            FaultCode = "place-doubtful"
	FaultRolledBack       FaultCode = "rolled-back"
	FaultDuplicate        FaultCode = "duplicate"
	FaultCertificateMonth FaultCode = "certificate-month"
	FaultCertificateWeek  FaultCode = "certificate-week"
	FaultOfficerMonth     FaultCode = "officer-month"
	FaultOfficerWeek      FaultCode = "officer-week"
	FaultNodeGone         FaultCode = "node-gone"
	FaultNoAnswer         FaultCode = "no-answer"
	FaultBrokerGone       FaultCode = "broker-gone"
	FaultStation          FaultCode = "no-station"
)

func linkFaults() []Fault {
	return []Fault{
		{Code: FaultLink, By: ByNode, Part: PartLink, Gravity: Notice, Calm: 10 * MaxFaultDelay, Within: MaxFaultDelay,
			VI: "đường truyền kém: hay đứt hoặc rất chậm", EN: "the network link is poor: it breaks often or is very slow",
			DoVI: "Xem sóng, ăng-ten và SIM; thử nhà mạng khác.", DoEN: "See the signal, the antenna and the SIM; try another carrier."},
		{Code: FaultData, By: ByNode, Part: PartLink, Gravity: Notice, Calm: calm, Within: MaxFaultDelay,
			VI: "đã dùng hết dung lượng dữ liệu của ngày", EN: "the day's data is used up: only emergencies are fetched",
			DoVI: "Nâng hạn mức trong tệp cấu hình của cụm loa, hoặc giảm bản tin dài.", DoEN: "Raise the limit in the provisioning file, or publish fewer long recordings."},
		{Code: FaultUnanswered, By: ByBoth, Part: PartLink, Gravity: Trouble, Lasts: calm, Calm: shortly, Within: MaxFaultDelay,
			VI: "biên nhận của cụm loa không đến nơi, hoặc không được xác nhận", EN: "the node's receipts do not arrive, or their acknowledgements do not",
			DoVI: "Có thể có ai giữ lại tin trên đường truyền: xem đường truyền và máy chủ trung gian. Biên nhận vẫn còn trên thẻ nhớ và được gửi lại.",
			DoEN: "Somebody may withhold messages on the way: see the link and the broker. The receipts stay on the card and are sent again."},
	}
}

func documentFaults() []Fault {
	return []Fault{
		{Code: FaultStale, By: ByNode, Part: PartDocuments, Gravity: Grave, Behind: []FaultCode{FaultClock}, Calm: shortly, Within: MaxFaultDelay,
			VI: "bản kê quá cũ, không bản tin nào được phát", EN: "no fresh manifest within the policy's limit: nothing sounds",
			DoVI: "Nối lại đường truyền, hoặc mang bản kê mới đến tận nơi.", DoEN: "Restore the link, or carry a fresh manifest to the site."},
		{Code: FaultEquivocation, By: ByNode, Part: PartDocuments, Gravity: Grave, Calm: day, Within: MaxFaultDelay,
			VI: "hai văn bản khác nhau mang cùng một số hiệu", EN: "two different documents came under one revision",
			DoVI: "Có thể có người dùng khoá ký ngoài hệ thống: xem nhật ký kiểm toán và thu hồi khoá liên quan.",
			DoEN: "Somebody may sign outside the system: see the audit log and revoke the key that signed."},
		{Code: FaultTooMany, By: ByNode, Part: PartDocuments, Gravity: Trouble, Calm: calm, Within: MaxFaultDelay,
			VI: "nhiều văn bản hơn mức cụm loa chứa được", EN: "more documents than a node may hold",
			DoVI: "Thu hồi hoặc gộp bớt bản tin của địa bàn.", DoEN: "Withdraw or merge announcements of the area."},
		{Code: FaultNoPlan, By: ByNode, Part: PartDocuments, Gravity: Grave, Calm: shortly, Within: MaxFaultDelay,
			VI: "không lập được lịch phát", EN: "no plan could be made: nothing sounds",
			DoVI: "Gửi nguyên nhân kèm theo cho người phát triển; thu hồi bản tin vừa phát hành gần nhất.",
			DoEN: "Report the cause that stands beside it; withdraw what was published last."},
		{Code: FaultDrift, By: ByController, Part: PartDocuments, Gravity: Trouble, Lasts: calm, Calm: shortly, Within: MaxFaultDelay,
			Behind: []FaultCode{FaultNodeGone, FaultNoAnswer, FaultStoreReadOnly, FaultStoreFull, FaultStoreFailing, FaultTooMany},
			VI:     "cụm loa giữ văn bản khác với bản kê", EN: "the node holds other documents than it ought to",
			DoVI: "Có thể có ai giữ lại tin trên đường truyền: xem đường truyền và máy chủ trung gian.",
			DoEN: "Somebody may withhold messages on the way: see the link and the broker."},
	}
}

func identityFaults() []Fault {
	return []Fault{
		{Code: FaultPlace, By: ByNode, Part: PartIdentity, Gravity: Trouble, Calm: shortly, Within: MaxFaultDelay,
			VI: "người ký phân công cụm loa đã bị thu hồi quyền", EN: "who signed the node's place was revoked",
			DoVI: "Phân công lại cụm loa bằng chữ ký còn hiệu lực.", DoEN: "Assign the node anew with a signature that holds."},
		{Code: FaultRolledBack, By: ByBoth, Part: PartIdentity, Gravity: Grave, Calm: day, Within: MaxFaultDelay,
			VI: "thẻ nhớ cũ được cắm lại: máy chủ có nhiều biên nhận hơn thẻ", EN: "an old card came back: the controller has more receipts than it",
			DoVI: "Hỏi người giữ thẻ; nếu không rõ, thu hồi cụm loa và kết nạp lại bằng thẻ mới.",
			DoEN: "Ask who holds the card; if nobody knows, revoke the node and enrol it with a new card."},
		{Code: FaultDuplicate, By: ByController, Part: PartIdentity, Gravity: Grave, Calm: shortly, Within: MaxFaultDelay,
			VI: "hai thiết bị dùng chung một danh tính", EN: "two boxes use one identity",
			DoVI: "Tìm thẻ sao chép; thu hồi cụm loa và kết nạp lại bằng thẻ mới.",
			DoEN: "Find the copied card; revoke the node and enrol it with a new one."},
	}
}

func certificateFaults() []Fault {
	return []Fault{
		{Code: FaultCertificateWeek, By: ByNode, Part: PartCertificates, Gravity: Trouble, Behind: []FaultCode{FaultClock}, Calm: shortly, Within: MaxFaultDelay,
			VI: "khoá dịch vụ mà cụm loa tin còn hạn dưới 7 ngày", EN: "the service key that the node trusts expires within 7 days",
			DoVI: "Cấp chứng thư mới bằng khoá gốc ngay trong tuần: hết hạn thì cụm loa không nhận bản kê nữa.",
			DoEN: "Issue a new certificate with the root key this week: after that the node takes no manifest."},
		{Code: FaultCertificateMonth, By: ByNode, Part: PartCertificates, Gravity: Notice, Behind: []FaultCode{FaultClock}, Calm: shortly, Within: MaxFaultDelay,
			VI: "khoá dịch vụ mà cụm loa tin còn hạn dưới 30 ngày", EN: "the service key that the node trusts expires within 30 days",
			DoVI: "Cấp chứng thư mới bằng khoá gốc.", DoEN: "Issue a new certificate with the root key."},
		{Code: FaultOfficerWeek, By: ByController, Part: PartCertificates, Gravity: Trouble, Calm: shortly, Within: MaxFaultDelay,
			VI: "chứng thư của cán bộ còn hạn dưới 7 ngày", EN: "an officer's certificate expires within 7 days",
			DoVI: "Cấp lại chứng thư cho cán bộ nêu tên.", DoEN: "Issue a new certificate for the officer named."},
		{Code: FaultOfficerMonth, By: ByController, Part: PartCertificates, Gravity: Notice, Calm: shortly, Within: MaxFaultDelay,
			VI: "chứng thư của cán bộ còn hạn dưới 30 ngày", EN: "an officer's certificate expires within 30 days",
			DoVI: "Chuẩn bị cấp lại chứng thư cho cán bộ nêu tên.", DoEN: "Prepare a new certificate for the officer named."},
	}
}

func centreFaults() []Fault {
	return []Fault{
		{Code: FaultBrokerGone, By: ByController, Part: PartController, Gravity: Grave, Lasts: shortly, Calm: shortly, Within: MaxFaultDelay,
			VI: "máy chủ mất nối với trạm trung chuyển tin", EN: "the controller has lost the message broker",
			DoVI: "Xem trạm trung chuyển có chạy không; các cụm loa vẫn phát theo lịch đã nhận.",
			DoEN: "See that the broker runs; nodes go on sounding what they already hold."},
		{Code: FaultStation, By: ByController, Part: PartController, Gravity: Trouble, Calm: calm, Within: MaxFaultDelay,
			VI: "đài nêu tên không có tiếng khi đang tiếp âm", EN: "the station named gives no sound while it is relayed",
			DoVI: "Nghe đài bằng máy khác; xem địa chỉ trong relays.toml và đường truyền của máy chủ. Buổi phát tiếp tục bằng mục kế tiếp.",
			DoEN: "Listen to it by other means; see its address in relays.toml and the controller's line. Programmes go on with what follows."},
	}
}

func nodeFaults() []Fault {
	return []Fault{
		{Code: FaultNodeGone, By: ByController, Part: PartNode, Gravity: Trouble, Behind: []FaultCode{FaultBrokerGone}, Lasts: shortly / 2, Calm: shortly, Within: MaxFaultDelay,
			VI: "cụm loa mất liên lạc", EN: "the node is gone",
			DoVI: "Xem nguồn điện, SIM và sóng tại chỗ; những gì cụm loa báo trước đó chỉ là lần cuối biết được.",
			DoEN: "See power, SIM and signal on site; what the node said before is only what was last known."},
		{Code: FaultNoAnswer, By: ByController, Part: PartNode, Gravity: Trouble, Behind: []FaultCode{FaultNodeGone, FaultBrokerGone}, Lasts: calm, Calm: shortly, Within: MaxFaultDelay,
			VI: "cụm loa có nối mạng nhưng không nói gì", EN: "the node is connected but says nothing",
			DoVI: "Khởi động lại cụm loa; nếu lặp lại, lấy nhật ký của thiết bị.", DoEN: "Restart the node; if it comes back, take the device's log."},
		{Code: FaultUpdate, By: ByNode, Part: PartNode, Gravity: Trouble, Calm: calm, Within: MaxFaultDelay,
			VI: "bản cập nhật phần mềm không đứng vững", EN: "an update of the programs did not hold",
			DoVI: "Cụm loa vẫn phát bằng phiên bản đang chạy. Xem nhật ký thiết bị, cập nhật lại, hoặc xoá tệp on-trial.json trên thẻ để giữ phiên bản này.",
			DoEN: "The node goes on with the version that runs. See the device's log and update it again, or delete on-trial.json on the card to stay with this version."},
	}
}
