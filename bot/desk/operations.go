package desk

// operation is where a command of the REST API lives.
type operation struct {
	path     string // service and command, behind "/v4/"
	inferred bool   // no page that could be read prints the service's name
}

// operations is every command that Client calls, by the name that errors and
// metrics have for it; the number is that of the page (cloud.tencent.com/document/product/…,
// 1229/… on www.tencentcloud.com). A name or path that turns out different is
// corrected here and nowhere else. What rests on each is in docs/installations.md.
var operations = map[string]operation{
	"transfer_to_human": {path: "desk_http_svc/transfer_to_human"}, // 1229/68820, 269/110581, 679/116634
	"get_session_state": {path: "desk_http_svc/get_session_state"}, // 1229/68825, 679/116639
	"send_msg":          {path: "desk_http_svc/send_msg"},          // 1229/68821, 269/110582
	"end_queuing":       {path: "desk_http_svc/end_queuing"},       // 269/125900
	"contact_user":      {path: "desk_http_svc/contact_user"},      // 1229/68947

	"describe_reception_realtime_statistics": {path: "desk_http_svc/describe_reception_realtime_statistics"}, // 269/117849
	"describe_member_realtime_statistics":    {path: "desk_http_svc/describe_member_realtime_statistics"},    // 269/117848
	"describe_session_statistics":            {path: "desk_http_svc/describe_session_statistics"},            // 269/117850
	"describe_agent_statistics":              {path: "desk_http_svc/describe_agent_statistics"},              // 1229/68830, 269/116073
	"describe_im_cdr_list":                   {path: "desk_http_svc/describe_im_cdr_list"},                   // 1229/68823, 269/113671

	"desc_robot_config":                          {path: "openim_console_http_svc/desc_robot_config"},                                // 1229/68831
	"get_channel_specific_conversation_settings": {path: "desk_http_svc/get_channel_specific_conversation_settings", inferred: true}, // 269/141346, 269/141348
	"get_im_agent_list_multilingual":             {path: "desk_http_svc/get_im_agent_list_multilingual"},                             // 269/128896
	"get_desk_im_agent_list":                     {path: "desk_http_svc/get_desk_im_agent_list", inferred: true},                     // 269/141353 to 141355
	"get_member_group_list":                      {path: "desk_http_svc/get_member_group_list"},                                      // 269/124502
	"get_member_list_in_group":                   {path: "desk_http_svc/get_member_list_in_group"},                                   // 269/127649
}
