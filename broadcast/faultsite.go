package broadcast

import "time"

// The faults of what stands in the box at the site.
const (
	FaultStoreReadOnly FaultCode = "store-read-only"
	FaultStoreFull     FaultCode = "store-full"
	FaultStoreFailing  FaultCode = "store-failing"
	FaultStoreCorrupt  FaultCode = "store-corrupt"
	FaultContentsFull  FaultCode = "contents-full"
	FaultClock         FaultCode = "clock-unproved"
	FaultContent       FaultCode = "content-missing"
	FaultDecoder       FaultCode = "decoder"
	FaultSoundCard     FaultCode = "sound-card"
	FaultSilent        FaultCode = "output-silent"
	FaultRelayOpen     FaultCode = "relay-open"
	FaultRelayStuck    FaultCode = "relay-stuck"
	FaultGuard         FaultCode = "guard-gone"
	FaultMains         FaultCode = "mains"
	FaultBattery       FaultCode = "battery"
	FaultVoltage       FaultCode = "voltage"
	FaultTemperature   FaultCode = "temperature"
	FaultSensor        FaultCode = "sensor"
	FaultButton        FaultCode = "button-stuck"
	FaultKeypad        FaultCode = "keypad-gone"
	FaultUpdate        FaultCode = "update-failed"
	FaultPINs          FaultCode = "wrong-pins"
)

// Patience of several rows.
const (
	shortly = 10 * time.Second // the network may be slow, the fault is not
	calm    = 30 * time.Second
	day     = 24 * time.Hour
)

func cardFaults() []Fault {
	return []Fault{
		{Code: FaultStoreReadOnly, By: ByNode, Part: PartCard, Gravity: Grave, Calm: calm, Within: MaxFaultDelay,
			VI: "thẻ nhớ chỉ đọc được, không ghi được", EN: "the memory card can be read but not written",
			DoVI: "Thay thẻ nhớ và nạp lại cụm loa; cho đến lúc đó chỉ bản tin khẩn cấp được phát.",
			DoEN: "Replace the card and provision the node again; until then only emergencies sound."},
		{Code: FaultStoreFull, By: ByNode, Part: PartCard, Gravity: Grave, Calm: calm, Within: MaxFaultDelay,
			VI: "thẻ nhớ đầy, không ghi được biên nhận", EN: "the memory card is full: receipts and documents find no room",
			DoVI: "Xem chương trình khác có ghi lên thẻ không; thay thẻ lớn hơn nếu lỗi không tự hết.",
			DoEN: "See whether something else writes to the card; put in a larger one if it does not clear."},
		{Code: FaultStoreFailing, By: ByNode, Part: PartCard, Gravity: Grave, Calm: calm, Within: MaxFaultDelay,
			VI: "thẻ nhớ báo lỗi khi đọc hoặc ghi", EN: "the memory card fails to read or write",
			DoVI: "Thay thẻ nhớ: thẻ sắp hỏng.", DoEN: "Replace the card: it is about to die."},
		{Code: FaultStoreCorrupt, By: ByNode, Part: PartCard, Gravity: Trouble, Calm: day, Within: MaxFaultDelay,
			Behind: []FaultCode{FaultStoreFailing},
			VI:     "thẻ nhớ làm hỏng dữ liệu đã ghi", EN: "the memory card spoiled what was written on it",
			DoVI: "Dữ liệu hỏng đã bị loại và được tải lại; nếu lặp lại trong tháng, hãy thay thẻ và kiểm tra nguồn.",
			DoEN: "What was spoiled is dropped and fetched again; if it comes back within a month, replace the card and check the supply."},
		{Code: FaultContentsFull, By: ByNode, Part: PartCard, Gravity: Trouble, Calm: calm, Within: MaxFaultDelay,
			Behind: []FaultCode{FaultStoreReadOnly, FaultStoreFull},
			VI:     "hết chỗ chứa tệp âm thanh", EN: "no room for recordings",
			DoVI: "Thu hồi bản tin không còn cần, rút ngắn bản tin, hoặc tăng hạn mức chứa của cụm loa.",
			DoEN: "Withdraw what is no longer needed, shorten recordings, or raise the node's quota."},
	}
}

func clockFaults() []Fault {
	return []Fault{
		{Code: FaultClock, By: ByNode, Part: PartClock, Gravity: Trouble, Lasts: calm, Calm: shortly, Within: MaxFaultDelay,
			VI: "đồng hồ chưa được xác thực từ khi khởi động", EN: "the clock has not been proved since the node started",
			DoVI: "Xem máy chủ có trả lời giờ không và chứng thư khoá dịch vụ còn hạn không; thay pin đồng hồ nếu có.",
			DoEN: "See that the controller answers with the time and its service key is in date; replace the clock's battery if there is one."},
	}
}

func contentFaults() []Fault {
	card := []FaultCode{FaultContentsFull, FaultStoreReadOnly, FaultStoreFull, FaultStoreFailing}
	return []Fault{
		{Code: FaultContent, By: ByNode, Part: PartContent, Gravity: Trouble, Behind: card, Lasts: shortly, Calm: shortly, Within: MaxFaultDelay,
			VI: "sắp đến giờ phát mà chưa có tệp âm thanh", EN: "a recording is not on board although it sounds soon",
			DoVI: "Xem đường truyền và hạn mức dữ liệu; bản tin ngắn hơn tải nhanh hơn.",
			DoEN: "See the network link and the data budget; a shorter recording arrives sooner."},
		{Code: FaultDecoder, By: ByNode, Part: PartContent, Gravity: Trouble, Behind: []FaultCode{FaultStoreFailing}, Calm: time.Hour, Within: MaxFaultDelay,
			VI: "không giải mã được tệp âm thanh", EN: "a recording could not be decoded",
			DoVI: "Tải bản ghi lên lại rồi phát hành lại bản tin.", DoEN: "Upload the recording again and publish the announcement anew."},
	}
}

func soundFaults() []Fault {
	return []Fault{
		{Code: FaultSoundCard, By: ByNode, Part: PartSound, Gravity: Grave, Calm: calm, Within: MaxFaultDelay,
			VI: "không thấy card âm thanh hoặc card bị lỗi", EN: "the sound card is gone or fails",
			DoVI: "Cắm lại card âm thanh; xem tên card trong cấu hình bo mạch bằng lệnh check.",
			DoEN: "Plug the sound card in again; compare its name with the board profile by the check command."},
		{Code: FaultSilent, By: ByNode, Part: PartSound, Gravity: Grave, Behind: []FaultCode{FaultSoundCard, FaultRelayOpen, FaultGuard}, Calm: shortly, Within: MaxFaultDelay,
			VI: "đang phát mà đầu ra không có tiếng", EN: "no sound leaves although something is playing",
			DoVI: "Nghe thử tệp âm thanh, xem âm lượng và hiệu chỉnh của cụm loa.",
			DoEN: "Listen to the recording, and see the volume and the node's trim."},
	}
}

func relayFaults() []Fault {
	return []Fault{
		{Code: FaultGuard, By: ByNode, Part: PartRelay, Gravity: Grave, Calm: shortly, Within: MaxFaultDelay,
			VI: "bộ canh rơ-le không trả lời", EN: "the guard of the relay does not answer",
			DoVI: "Xem dịch vụ loaxa-guard trên thiết bị; khởi động lại cụm loa nếu cần.",
			DoEN: "See the service loaxa-guard on the device; restart the node if need be."},
		{Code: FaultRelayOpen, By: ByNode, Part: PartRelay, Gravity: Grave, Behind: []FaultCode{FaultGuard}, Calm: shortly, Within: MaxFaultDelay,
			VI: "rơ-le không đóng, tăng âm không có điện", EN: "the relay does not close: the amplifier has no power",
			DoVI: "Kiểm tra dây điều khiển và rơ-le; xem số chân trong cấu hình bo mạch.",
			DoEN: "Check the control wire and the relay; see the line in the board profile."},
		{Code: FaultRelayStuck, By: ByNode, Part: PartRelay, Gravity: Grave, Calm: shortly, Within: MaxFaultDelay,
			VI: "rơ-le dính, tăng âm vẫn có điện", EN: "the relay is stuck: the amplifier keeps its power",
			DoVI: "Ngắt điện tăng âm tại chỗ và thay rơ-le.", DoEN: "Cut the amplifier's supply on site and replace the relay."},
	}
}

func powerFaults() []Fault {
	return []Fault{
		{Code: FaultMains, By: ByNode, Part: PartPower, Gravity: Notice, Lasts: shortly, Calm: calm, Within: MaxFaultDelay,
			VI: "mất điện lưới, đang chạy bằng ắc quy", EN: "the mains are gone, the node runs on its battery",
			DoVI: "Xem cầu dao và điện lưới khu vực; bản tin thông thường dừng trước khi ắc quy cạn.",
			DoEN: "See the breaker and the mains of the place; normal announcements stop before the battery is empty."},
		{Code: FaultBattery, By: ByNode, Part: PartPower, Gravity: Trouble, Lasts: shortly, Calm: calm, Within: MaxFaultDelay,
			VI: "ắc quy yếu, chỉ còn dành cho khẩn cấp", EN: "the battery is low: what is left is kept for emergencies",
			DoVI: "Khôi phục điện lưới hoặc thay ắc quy.", DoEN: "Restore the mains or replace the battery."},
		{Code: FaultVoltage, By: ByNode, Part: PartPower, Gravity: Grave, Lasts: shortly, Calm: calm, Within: MaxFaultDelay,
			VI: "điện áp ngoài giới hạn, rơ-le không được đóng", EN: "the voltage is outside the board's limits: the relay may not close",
			DoVI: "Đo điện áp nguồn, kiểm tra bộ nguồn và đầu nối.", DoEN: "Measure the supply, check its unit and its connectors."},
	}
}

func boxFaults() []Fault {
	return []Fault{
		{Code: FaultTemperature, By: ByNode, Part: PartBox, Gravity: Trouble, Lasts: shortly, Calm: calm, Within: MaxFaultDelay,
			VI: "thiết bị quá nóng", EN: "the device is too hot",
			DoVI: "Xem quạt, khe thoáng và chỗ đặt hộp thiết bị.", DoEN: "See the fan, the vents and where the box stands."},
		{Code: FaultSensor, By: ByNode, Part: PartBox, Gravity: Trouble, Lasts: shortly, Calm: calm, Within: MaxFaultDelay,
			VI: "không đọc được cảm biến", EN: "a sensor cannot be read",
			DoVI: "Xem dây và đầu nối của cảm biến; thiếu nó, cụm loa không biết nguồn điện và nhiệt độ.",
			DoEN: "See the wire and the connector of the sensor; without it the node does not know its power and heat."},
		{Code: FaultButton, By: ByNode, Part: PartBox, Gravity: Trouble, Lasts: shortly, Calm: calm, Within: MaxFaultDelay,
			VI: "nút bấm tại chỗ bị kẹt", EN: "the local button is stuck",
			DoVI: "Nhả hoặc thay nút bấm trong hộp thiết bị.", DoEN: "Free or replace the button in the box."},
		{Code: FaultKeypad, By: ByNode, Part: PartBox, Gravity: Trouble, Lasts: shortly, Calm: calm, Within: MaxFaultDelay,
			VI: "mất kết nối bàn phím trong hộp thiết bị", EN: "the keypad of the box is gone or cannot be read",
			DoVI: "Cắm lại bàn phím; so tên thiết bị trong cấu hình bo mạch bằng lệnh check. Chưa có bàn phím thì không phát tại chỗ bằng mã PIN được.",
			DoEN: "Plug the keypad in again; compare its device with the board profile by the check command. Until then nobody can fire a template by PIN."},
		{Code: FaultPINs, By: ByNode, Part: PartBox, Gravity: Trouble, Calm: shortly, Within: MaxFaultDelay,
			VI: "có người nhập sai mã PIN nhiều lần tại bàn phím", EN: "somebody types wrong PINs at the keypad of the box",
			DoVI: "Xem ai đang ở hộp thiết bị. Số đó phải chờ tối đa 15 phút mỗi lần thử, các số khác vẫn dùng được; nếu còn tiếp diễn, hãy ký mã PIN mới.",
			DoEN: "See who is at the box. This number waits up to 15 minutes between tries, all others work; if it goes on, seal new PINs."},
	}
}
