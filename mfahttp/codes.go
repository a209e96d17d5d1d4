package mfahttp

import "net/http"

// codes returns the error codes of codeRows. Some are there twice.
func codes() (list []string) {
	for _, row := range codeRows {
		list = append(list, row.code)
	}
	return list
}

// codeRow is a row of the table of error codes. The rows, and those of reasonRows, are the source
// for the enumerations of openapi.json and for the tables of docs/api.md, which tests compare with
// them.
type codeRow struct {
	code   string
	status int
	means  string
	client string // what a client does
}

// codeRows has a row for each code and status that the Handler returns, in the order of the
// statuses.
var codeRows = []codeRow{
	{"pending", http.StatusAccepted,
		"The user has not decided yet on another device. Nothing was counted.",
		"Post the same request again in a few seconds."},
	{"malformed", http.StatusBadRequest,
		"The request is not what the route accepts. Nothing was counted.",
		"Show the text for `reason`, if there is one, and let the user correct the input."},
	{"unauthorized", http.StatusUnauthorized,
		"No user has passed the first factor in this session.",
		"Ask for the application's first factor."},
	{"incorrect", http.StatusUnauthorized,
		"The response is incorrect, and was counted.",
		"Show `attempts_left`, and let the user try again."},
	{"expired", http.StatusUnauthorized,
		"The challenge, the enrolment or the link has expired, was used or was cancelled. " +
			"Nothing was counted.",
		"With the reason `response_expired` send another code. Otherwise read `api/state` and " +
			"begin again."},
	{"step_up", http.StatusUnauthorized,
		"`RequireRecent` guards a route of the application, and the last verification is older " +
			"than `max_age` seconds. Or `RequireLevel` guards it, and the last verification " +
			"proved less than `acr_values` says, or is older.",
		"`POST api/step-up` with the purpose `step-up`, verify, by one of `kinds` if the " +
			"response has them, and repeat the request."},
	{"forbidden", http.StatusForbidden,
		"The user may not do this now: the sign-in is not complete, another user is signed in, " +
			"or the request came from another origin.",
		"Read `api/state`. Do not repeat the request."},
	{"step_up", http.StatusForbidden,
		"A change of factors requires a fresh verification.",
		"`POST api/step-up`, verify, and repeat the request."},
	{"reauthenticate", http.StatusForbidden,
		"The user has no second factor, and gave the first factor too long ago to set one up.",
		"Ask for the application's first factor again, and repeat the request."},
	{"on_hold", http.StatusForbidden,
		"The session was proven by a recovery, whose replacement is on hold.",
		"Tell the user to sign in with an older factor, or to wait until `held_until`."},
	{"password", http.StatusForbidden,
		"The current password is missing or incorrect.",
		"Ask for the password, and repeat the request with it."},
	{"stopped", http.StatusForbidden,
		"The kind is disabled after too many failed attempts. Waiting does not help.",
		"Offer another option, or `POST api/unlock` if the option is `provable`."},
	{"not_available", http.StatusNotFound,
		"The user has no factor or device with this ID.",
		"Read the list again."},
	{"unknown_factor", http.StatusNotFound,
		"No user has this passkey.",
		"Let the browser forget it (`PublicKeyCredential.signalUnknownCredential`), and offer " +
			"another way to sign in."},
	{"not_found", http.StatusNotFound,
		"There is no such route, or the application does not offer it.",
		"Correct the client."},
	{"method_not_allowed", http.StatusMethodNotAllowed,
		"The route has other methods; the `Allow` header lists them.",
		"Correct the client."},
	{"not_available", http.StatusConflict,
		"The user does not have this kind, the policy does not allow it, or the application does " +
			"not offer it.",
		"Read `api/state` or `GET api/enroll`, and offer what they list."},
	{"last_factor", http.StatusConflict,
		"The policy requires a factor, and this is the user's only one.",
		"Let the user enrol another factor first."},
	{"address_taken", http.StatusConflict,
		"The code is correct, and another account has the address. Nothing has changed.",
		"Tell the user to choose another address."},
	{"kind_not_configured", http.StatusConflict,
		"The user has a factor of a kind that this server does not have.",
		"Send the user to the address at which they enrolled, or to support."},
	{"undeliverable", http.StatusConflict,
		"All that the user has is an address that no message can be sent to.",
		"Send the user to support."},
	{"too_large", http.StatusRequestEntityTooLarge,
		"The body has more than 64 KiB.",
		"Correct the client."},
	{"media_type", http.StatusUnsupportedMediaType,
		"The body is not `application/json`.",
		"Correct the client."},
	{"locked", http.StatusTooManyRequests,
		"Too many failed attempts. No response is verified, and no code is sent.",
		"Wait for `retry_after` seconds."},
	{"budget", http.StatusTooManyRequests,
		"Too many codes were sent to the user, the destination or the tenant.",
		"Wait for `retry_after` seconds, or offer another option."},
	{"busy", http.StatusTooManyRequests,
		"Too many passwords are compared at once. This one was not compared.",
		"Repeat the request after `retry_after` seconds."},
	{"unavailable", http.StatusServiceUnavailable,
		"The service failed. No user was signed in, and nothing was disclosed.",
		"Try again after a moment."},
}

// Where a reason occurs.
const (
	inAPI   = ""
	inPages = "pages" // the pages alone
	inAdmin = "admin" // for administrators, who enrol the kind for users, or import it
)

// reasonRow is a row of the table of reasons: why an input is malformed, or a response expired.
type reasonRow struct {
	reason string
	kinds  string // that return it; "" for all
	means  string
	where  string
	// numbered is true if the number of the field follows, "_1" to "_3".
	numbered bool
}

// reasonRows are the reasons of the Handler, the Manager and the factors of this repository. A
// third-party factor has reasons of its own.
var reasonRows = []reasonRow{
	{"response_expired", "", "Beside `expired`: the response is correct and came too late, or " +
		"another code has taken its place. The challenge or the enrolment goes on.", inAPI, false},
	{"name_form", "", "The name is too long, or has characters or links that names may not have.",
		inAPI, false},
	{"code_form", "totp, email, sms", "A code has digits only, and as many as the kind says.",
		inAPI, false},
	{"secret_form", "totp", "The secret to import is not base32, or too short or too long.", inAPI,
		false},
	{"secret_duplicate", "totp", "The user has enrolled this secret already.", inAPI, false},
	{"address_form", "email", "The text is not an e-mail address.", inAPI, false},
	{"address_unsupported", "email", "No mail can be sent to this kind of address.", inAPI, false},
	{"address_duplicate", "email", "The user has this address already.", inAPI, false},
	{"number_missing", "sms", "The number is missing.", inAPI, false},
	{"number_form", "sms", "The text is not a phone number.", inAPI, false},
	{"number_extension", "sms", "A number with an extension receives no messages.", inAPI, false},
	{"number_international", "sms", "The number must begin with + and the country's code.", inAPI,
		false},
	{"number_region", "sms", "The region is not a country that has phone numbers.", inAPI, false},
	{"number_length", "sms", "The number is too short or too long for its country.", inAPI, false},
	{"number_invalid", "sms", "No such number has been given out.", inAPI, false},
	{"number_premium", "sms", "Messages to this number cost more than others.", inAPI, false},
	{"number_country", "sms", "No messages are sent to numbers of this country.", inAPI, false},
	{"number_duplicate", "sms", "The user has enrolled this number already.", inAPI, false},
	{"pin_too_short", "pin", "The PIN is too short.", inAPI, false},
	{"pin_too_long", "pin", "The PIN is too long.", inAPI, false},
	{"pin_characters", "pin", "The PIN has characters that are not allowed.", inAPI, false},
	{"pin_repeated", "pin", "The PIN repeats a character or a short part.", inAPI, false},
	{"pin_common", "pin", "The PIN is one of those that are tried first.", inAPI, false},
	{"pin_personal", "pin", "The PIN is a part of the user's name, address or number.", inAPI,
		false},
	{"pin_mismatch", "pin", "The two PINs of the form differ.", inPages, false},
	{"field_missing", "third-party kinds", "A field of the form is empty.", inPages, false},
	{"field_long", "third-party kinds", "The value of a field is too long.", inPages, false},
	{"key_compromised", "passkey", "The model of the security key or device is known to be unsafe. " +
		"Nothing was counted. The user adds another.", inAPI, false},
	{"key_not_allowed", "passkey", "The policy does not allow what keeps the passkey. Nothing was " +
		"counted. The user adds one that is kept by something else.", inAPI, false},
	{"passkey_changed", "passkey", "The passkey's manager changed it after it was enrolled. Nothing " +
		"was counted. The user verifies in another way and adds the passkey again, which replaces it.",
		inAPI, false},
	{"passkey_form", "passkey", "The text is not a response of a passkey.", inAPI, false},
	{"recovery_form", "recovery", "The text is not a recovery code.", inAPI, false},
	{"question_form", "questions", "A question has 8 bytes to 160 characters of printable text.",
		inAPI, true},
	{"question_twice", "questions", "The question is the same as an earlier one.", inAPI, true},
	{"answer_form", "questions", "An answer has 1 to 128 characters of printable text.", inAPI,
		true},
	{"answer_short", "questions", "The answer is too short.", inAPI, true},
	{"answer_in_question", "questions", "The answer is in its own question.", inAPI, true},
	{"answer_twice", "questions", "The answer is the same as an earlier one.", inAPI, true},
	{"answers_form", "questions", "Three answers are needed, one on each line.", inAPI, false},
	{"access_form", "access", "The text is not an access code.", inAPI, false},
	{"pin_hash", "pin", "The hash cannot be imported.", inAdmin, false},
	{"questions_hash", "questions", "The hash cannot be imported.", inAdmin, false},
	{"recovery_import", "recovery", "The codes or hashes cannot be imported.", inAdmin, false},
	{"passkey_import", "passkey", "The passkey cannot be imported.", inAdmin, false},
	{"access_valid", "access", "The duration of an access code is out of range.", inAdmin, false},
	{"access_uses", "access", "An access code is valid `once`, or `any` number of times.", inAdmin,
		false},
}
