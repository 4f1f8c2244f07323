package redis

import (
	_ "embed"

	"github.com/redis/go-redis/v9"
)

// The scripts, each described at its top. All keys are passed in.
var (
	//go:embed scripts/claim.lua
	claimSource string
	//go:embed scripts/chat.lua
	chatSource string
	//go:embed scripts/release.lua
	releaseSource string
	//go:embed scripts/save.lua
	saveSource string
	//go:embed scripts/records.lua
	recordsSource string
	//go:embed scripts/putrecords.lua
	putRecordsSource string
	//go:embed scripts/saverecords.lua
	saveRecordsSource string
	//go:embed scripts/listrecords.lua
	listRecordsSource string
	//go:embed scripts/put.lua
	putSource string
	//go:embed scripts/take.lua
	takeSource string
	//go:embed scripts/store.lua
	storeSource string
	//go:embed scripts/delete.lua
	deleteSource string
	//go:embed scripts/takeback.lua
	takeBackSource string
	//go:embed scripts/reschedule.lua
	rescheduleSource string
	//go:embed scripts/renew.lua
	renewSource string
	//go:embed scripts/stats.lua
	statsSource string
	//go:embed scripts/alarm.lua
	alarmSource string
	//go:embed scripts/rate.lua
	rateSource string
	//go:embed scripts/missing.lua
	missingSource string
	//go:embed scripts/probe.lua
	probeSource string

	claimScript   = redis.NewScript(claimSource)
	chatScript    = redis.NewScript(chatSource)
	releaseScript = redis.NewScript(releaseSource)
	saveScript    = redis.NewScript(saveSource)
	putScript     = redis.NewScript(putSource)

	// What records.lua and save.lua define is used by both scripts that put records.
	putRecordsScript  = redis.NewScript(recordsSource + putRecordsSource)
	saveRecordsScript = redis.NewScript(recordsSource + "local function save(KEYS, ARGV)\n" + saveSource + "end\n" + saveRecordsSource)
	listRecordsScript = redis.NewScript(listRecordsSource)

	takeScript       = redis.NewScript(takeSource)
	storeScript      = redis.NewScript(storeSource)
	deleteScript     = redis.NewScript(deleteSource)
	takeBackScript   = redis.NewScript(takeBackSource)
	rescheduleScript = redis.NewScript(rescheduleSource)
	renewScript      = redis.NewScript(renewSource)
	statsScript      = redis.NewScript(statsSource)
	alarmScript      = redis.NewScript(alarmSource)
	rateScript       = redis.NewScript(rateSource)
	missingScript    = redis.NewScript(missingSource)
	probeScript      = redis.NewScript(probeSource)
)
