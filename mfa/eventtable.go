package mfa

// eventRule says what follows from an event: whether the user is notified of it, at every
// address that is known to be theirs, and how it is logged. Exactly one of notify and why is set.
type eventRule struct {
	// notify is when the user is notified: "always", or a condition that is checked where the
	// event is made.
	notify string
	// why says why the user is not notified.
	why string
	// warn logs the event as a warning.
	warn bool
}

// eventRules has every event of this package. Every event that changes how a user signs in, or
// that shows that an attacker may be trying to, is one that the user is notified of.
var eventRules = map[string]eventRule{
	"challenge.begun":     {why: "every sign-in begins with one"},
	"challenge.abandoned": {notify: "for a sign-in, once a day at most", warn: true},
	"send.success":        {why: "it is a message to the user itself"},
	"send.failed":         {why: "it is for the operator", warn: true},
	"send.limited":        {why: "it would be one message for each refused one", warn: true},
	"verify.success":      {why: "the user has just signed in"},
	"verify.failure":      {notify: "from the third in a row, once a day at most", warn: true},
	"verify.locked":       {why: "lockout.locked was notified", warn: true},
	"confirm.failure":     {why: "it needs a grant, and a lock is notified", warn: true},
	"lockout.locked":      {notify: always, warn: true},
	"lockout.disabled":    {notify: "when it was not disabled before", warn: true},
	"lockout.unlocked":    {notify: always},
	"unlock.proof":        {why: "lockout.unlocked follows after the last"},

	"enroll.begun":          {why: "nothing has changed before factor.added"},
	"enroll.postponed":      {why: "the user has just signed in, and was told how often is left"},
	"factor.added":          {notify: always},
	"factor.replaced":       {notify: always},
	"factor.removed":        {notify: always},
	"factor.renamed":        {notify: always},
	"factor.preferred":      {why: "no factor has changed, and the user may respond with each"},
	"implied.off":           {notify: always},
	"implied.on":            {notify: always},
	"factor.cloned":         {notify: "when it was counted, else once a day at most", warn: true},
	"factor.outdated":       {why: "the user has just been told, and the replacement is notified"},
	"address.confirmed":     {notify: always},
	"address.changed":       {notify: always},
	"address.undeliverable": {why: "no message would arrive", warn: true},
	"recovery.regenerated":  {notify: always},
	"recovery.saved":        {why: "it changes nothing of how the user signs in"},
	"recovery.replacement":  {notify: always, warn: true},
	"recovery.used":         {notify: always},
	"recovery.low":          {notify: always},
	"device.remembered":     {notify: always},
	"device.used":           {why: "it is a sign-in like any other"},
	"device.reused":         {notify: always, warn: true},
	"device.revoked":        {notify: always},
	"support.requested":     {notify: always},
	"exception.used":        {why: "admin.exception was notified", warn: true},
	"setup.opened":          {why: "the link was a message to every address"},

	"notice.sent":   {why: "it is about such a message"},
	"notice.failed": {why: "it is about such a message", warn: true},

	"admin.reset":             {notify: always},
	"admin.remove":            {notify: always},
	"admin.unlock":            {notify: always},
	"admin.access":            {notify: always},
	"admin.exception":         {notify: always, warn: true},
	"admin.exception-ended":   {notify: always},
	"admin.import":            {why: "the user's own factors go on, and nothing else changes"},
	"admin.export":            {why: "the factors stay as they are", warn: true},
	"admin.personal-data":     {why: "the user has asked for it, and it changes nothing"},
	"admin.close-support":     {why: "it changes nothing of how the user signs in"},
	"admin.delete":            {notify: always},
	"admin.set-policy":        {why: "it is about a user type and no one user"},
	"admin.send-confirmation": {why: "it is a message, and address.confirmed follows"},
}

const always = "always"

// notifies says whether users are notified of an event. That is so of one that is not in the
// table: an administrator made an instance of a third-party factor.
func notifies(name string) bool { return eventRules[name].why == "" }
