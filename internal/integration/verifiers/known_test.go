package verifiers_test

import "slices"

// difference is a reason for which one verifier accepts what the other refuses.
type difference struct {
	// ours says that package passkey is the one that accepts.
	ours      bool
	reason    string
	mutations []string
}

// fromSimpleWebAuthn are all differences from @simplewebauthn/server that are known. Where package
// passkey refuses alone, WebAuthn Level 3 asks for it, or no browser makes such a response. What it
// accepts alone decides nothing.
var fromSimpleWebAuthn = []difference{
	{false, "a page that another site embeds is refused; they refuse it only in an assertion " +
		"that names the site", []string{"cross origin", "top origin"}},
	{false, "the ID of a response is the one in the authenticator data and in the record, and " +
		"of 1 to 1023 bytes (sections 7.1 and 7.2); they leave it to the caller",
		[]string{"id", "length of the ID", "another ID in the authenticator data"}},
	{false, "a response names the user whose passkey it is (section 7.2 step 6); they leave it to " +
		"the caller", []string{"user handle"}},
	{false, "a passkey that may be backed up since its enrolment is another one (section 7.2 " +
		"step 18); they do not store it", []string{"flags", "authenticator data bit"}},
	{false, "the public key is parsed at the enrolment; they parse it at the first sign-in",
		[]string{"key bit", "member of the key", "key with a double member",
			"authenticator data bit", "object bit", "authenticator data cut", "object cut"}},
	{false, "nothing follows a signature in DER; Node.js ignores it",
		[]string{"signature longer", "signature twice"}},
	{false, "a signature in DER ends where it says; their decoder reads past the end",
		[]string{"signature longer than it says", "signature bit"}},
	{false, "nothing follows an attestation object, and its statement is a map; they ignore the " +
		"rest", []string{"object longer", "statement of another type", "object cut", "object bit",
		"object with a tag"}},
	{false, "client data with a byte order mark is refused, which section 7 permits and no " +
		"browser writes", []string{"byte order mark"}},
	{false, "a member of the client data in other letters is refused; they ignore it",
		[]string{"capital member", "capital members"}},
	{true, "a missing attestation statement of the format none is as good as an empty one",
		[]string{"no statement", "statement of another type", "object bit"}},
	{true, "CBOR may write a number longer than it has to; their decoder takes the shortest form",
		[]string{"key that is not minimal"}},
}

// fromGoWebAuthn are all differences from go-webauthn that are known.
var fromGoWebAuthn = []difference{
	{false, "an origin is compared as the text that a browser writes; they take letters of either " +
		"case and the default port for the same one", []string{"origin"}},
	{false, "a member of the client data in other letters is refused; they take it for the member",
		[]string{"capital member", "capital members"}},
	{false, "the public key is parsed at the enrolment; they parse it at the first sign-in",
		[]string{"key bit", "member of the key", "authenticator data bit", "object bit"}},
	{true, "libraries of native apps pad base64, which is accepted; they refuse it",
		[]string{"padded base64"}},
}

// known returns the reason for a difference in a response with mutations, or "".
func known(differences []difference, mutations []string, ours bool) string {
	for _, d := range differences {
		if d.ours == ours && slices.ContainsFunc(mutations, func(m string) bool {
			return slices.Contains(d.mutations, m)
		}) {
			return d.reason
		}
	}
	return ""
}
